/* What drawing and measuring share: while a tool is on, it has the map's pointer and keys, and the page has not.
   One tool at a time. By keyboard: arrows move the map, Space takes the cross in its middle. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const CLICK_PX = 6, DOUBLE_PX = 12, DOUBLE_MS = 400, AFTER_MS = 350;
  const PANES = { outside: 419, outline: 420, said: 655 };
  let running = null;

  /** The pane of a name: "outline" for lines, "outside" under it for what is dimmed, "said" for numbers over all names. */
  function pane(map, name) {
    if (!map.getPane(name)) {
      map.createPane(name).style.zIndex = PANES[name];
      map.getPane(name).style.pointerEvents = "none";
    }
    return name;
  }

  /** Give a tool the map until it calls ``stop()``; another tool's ``cancel()`` is called first.

      tool.name     what it is called in ``document.body.dataset.drawing``
      tool.drags    true: pressing and dragging draws; false: clicks count and dragging moves the map
      tool.hint     one line over the map
      tool.down, move, up (latlng), click, double (latlng), enter, undo, cancel: what happens; all optional but cancel. */
  yanpan.mapTool = function (map, tool) {
    if (running) running.cancel();
    const box = map.getContainer(), doc = document;
    const label = part("tool-label"), hint = part("tool-hint floating-card");
    let pressed = null, clicked = null, stopped = false;
    hint.textContent = tool.hint;
    hint.setAttribute("role", "status");
    label.hidden = true;

    function part(className) {
      const element = box.appendChild(doc.createElement("div"));
      element.className = className;
      return element;
    }
    function pointOf(event) {
      const frame = box.getBoundingClientRect();
      return window.L.point(event.clientX - frame.left - box.clientLeft, event.clientY - frame.top - box.clientTop);
    }
    const latlng = (point) => map.containerPointToLatLng(point);
    const call = (name, ...values) => { if (tool[name]) tool[name](...values); };

    function down(event) {
      if (!event.isPrimary || (event.pointerType === "mouse" && event.button !== 0)) return;
      box.classList.remove("by-keys");
      pressed = pointOf(event);
      if (!tool.drags) return;
      event.preventDefault();
      event.stopPropagation();
      box.setPointerCapture(event.pointerId);
      box.focus({ preventScroll: true });
      call("down", latlng(pressed));
    }
    function move(event) {
      if (!event.isPrimary) return;
      const point = pointOf(event);
      if (event.buttons === 0) pressed = null;  // it was released outside
      box.classList.remove("by-keys");
      if (tool.drags || !pressed) { place(point); call("move", latlng(point)); }
    }
    function up(event) {
      if (!event.isPrimary || !pressed) return;
      const point = pointOf(event), still = point.distanceTo(pressed) < CLICK_PX;
      pressed = null;
      if (tool.drags) return call("up", latlng(point));
      if (!still) return;
      box.focus({ preventScroll: true });
      const now = performance.now();
      const again = clicked && now - clicked.when < DOUBLE_MS && point.distanceTo(clicked.point) < DOUBLE_PX;
      clicked = { when: now, point: point };
      place(point);
      if (again) { clicked = null; call("double", latlng(point)); }
      else call("click", latlng(point));
    }
    function lost() { pressed = null; }
    /* The page must not take what the tool takes: a click would drill, a move show the hover card. */
    function keep(event) {
      if (event.type === "mousemove" && pressed && !tool.drags) return;  // the map is being moved
      event.stopPropagation();
      if (event.type === "contextmenu") event.preventDefault();
    }
    function key(event) {
      if (event.target.closest && event.target.closest("input, select, textarea")) return;
      const onButton = event.target.closest && event.target.closest("button, a, summary");
      const done = { Escape: () => tool.cancel(), Backspace: () => call("undo"), Delete: () => call("undo") };
      if (!onButton) {
        done.Enter = () => call("enter");
        done[" "] = () => { byKeys(); call(tool.drags ? "press" : "click", map.getCenter()); };
      }
      if (/^Arrow/.test(event.key)) byKeys();
      if (!done[event.key] || event.isComposing) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      done[event.key]();
    }
    function byKeys() { box.classList.add("by-keys"); }
    function moved() {
      if (!box.classList.contains("by-keys")) return;
      place(map.getSize().divideBy(2));
      call("move", map.getCenter());
    }
    function place(point) {
      const size = map.getSize(), left = point.x > size.x - 180, high = point.y > size.y - 60;
      label.style.transform = "translate(" + (point.x + (left ? -14 : 14)) + "px," + (point.y + (high ? -14 : 14)) + "px) translate(" + (left ? "-100%" : "0") + "," + (high ? "-100%" : "0") + ")";
    }

    const PAGE = ["click", "dblclick", "mousedown", "mousemove", "mouseover", "contextmenu"];
    const kept = tool.drags ? PAGE : PAGE.filter((name) => name !== "mousedown");
    const own = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: lost };
    for (const name in own) box.addEventListener(name, own[name], true);
    for (const name of kept) box.addEventListener(name, keep, true);
    doc.addEventListener("keydown", key, true);
    map.on("move", moved);
    const still = tool.drags ? ["dragging", "touchZoom", "boxZoom"].filter((name) => map[name] && map[name].enabled()) : [];
    for (const name of still) map[name].disable();
    box.classList.add("tool", tool.drags ? "tool-drags" : "tool-clicks");
    doc.body.dataset.drawing = tool.name;
    box.focus({ preventScroll: true });

    const session = {
      cancel: () => tool.cancel(),
      /** Text beside the pointer; empty hides it. */
      say: function (text) { label.textContent = text; label.hidden = !text; },
      stop: function () {
        if (stopped) return;
        stopped = true;
        if (running === session) running = null;
        for (const name in own) box.removeEventListener(name, own[name], true);
        doc.removeEventListener("keydown", key, true);
        map.off("move", moved);
        for (const name of still) map[name].enable();
        box.classList.remove("tool", "tool-drags", "tool-clicks", "by-keys");
        if (!running) delete doc.body.dataset.drawing;
        label.remove();
        hint.remove();
        // The click that belongs to the last release of the button still comes.
        setTimeout(() => { for (const name of kept) box.removeEventListener(name, keep, true); }, AFTER_MS);
      },
    };
    running = session;
    return session;
  };
  yanpan.mapTool.pane = pane;
})();
