/* The map of /workbench: takes the address apart, asks for numbers, keeps boards, levels and views together. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const IDS = { map: "workbench-map", request: "workbench-request", what: "workbench-what" };
  const LEVELS = ["district", "street", "community", "grid"];
  const CLASSED = ["gi", "lisa", "emerging"], OWN_NUMBERS = [...CLASSED, "eb", "disputes"];
  const SAID_AFTER_MS = 700;  // how long the map may be behind before it says so
  const POINTS_FROM = 12.5;
  const PADDING = { paddingTopLeft: [24, 56], paddingBottomRight: [24, 36] };
  const say = (text, values) => yanpan.say(text, values);
  const at = { map: null, focus: null, values: null, list: null, level: null, board: null, past: null, what: null, asked: null, split: 0.5 };

  function draw(parts) {
    for (const id in parts) {
      const target = document.getElementById(id);
      if (target) yanpan.render(target, parts[id]);
    }
    document.dispatchEvent(new CustomEvent("yanpan:drawn"));
  }

  /* --- level and view --------------------------------------------------------------------------------------------- */

  function fittingLevel(zoom) {
    const focus = at.focus;
    if (focus.fixed && focus.levels.some((one) => one.level === focus.fixed)) return focus.fixed;
    let chosen = null;
    for (const one of focus.levels) if (chosen === null || zoom >= one.zoom) chosen = one.level;
    if (focus.least && LEVELS.indexOf(focus.least) > LEVELS.indexOf(chosen)) chosen = focus.least;
    return chosen;
  }
  function boundsOf(focus) {
    const b = focus.bounds;
    return b && window.L.latLngBounds([[b[1], b[0]], [b[3], b[2]]]);
  }
  function fit(animate) {
    const bounds = boundsOf(at.focus);
    if (bounds) at.map.fitBounds(bounds, Object.assign({ animate: animate, maxZoom: 18 }, PADDING));
  }
  function savedView() {
    const parts = location.hash.slice(1).split("/").map(Number);
    return parts.length === 3 && parts.every(Number.isFinite) ? parts : null;
  }
  function saveView() {
    const c = at.map.getCenter();
    const hash = "#" + [at.map.getZoom(), c.lat.toFixed(5), c.lng.toFixed(5)].join("/");
    if (location.hash !== hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
  }

  /* --- asking for numbers -------------------------------------------------------------------------------------------- */

  const looks = (search) => new URLSearchParams(search);
  /** What an address looks at, in the one form the server writes it; the same question may come in two spellings. */
  function whatOf(search) {
    const what = yanpan.what(search);
    return what === at.spelling ? at.focus.what : what;
  }
  /** The question behind the colours of the units: looks that the same numbers can show are not in it. */
  function question(search, level) {
    const query = looks(search), measure = query.get("measure"), own = OWN_NUMBERS.includes(measure);
    const pairs = new URLSearchParams(whatOf(search));
    if (own) pairs.set("measure", measure);
    if (own && measure !== "disputes" && query.get("view")) pairs.set("view", query.get("view"));
    return { search: "?" + pairs.toString(), level: level };
  }
  /** A request for the level's numbers, or null where they are here or coming. */
  function request(search, level) {
    const wanted = question(search, level), key = JSON.stringify(wanted);
    at.level = level;
    if (at.asked && at.asked.meant === key) return null;
    at.asked = { sent: key, meant: key, search: search };
    return wanted;
  }
  function ask(level) {
    const wanted = level && request(location.search, level);
    if (!wanted) return;
    waiting(true);
    yanpan.units.unitsOf(at.focus.release, level).catch(() => {});  // on its way with the numbers; a fault is told when they have come
    window.dash_clientside.set_props(IDS.request, { data: wanted });
  }
  function waiting(on) {
    document.body.classList.toggle("painting", on);
    clearTimeout(at.slowly);
    const said = document.getElementById("map-waiting");
    if (!on) said.hidden = true;
    else at.slowly = setTimeout(() => { said.hidden = false; }, SAID_AFTER_MS);
  }

  /* --- the clientside callbacks --------------------------------------------------------------------------------------- */

  const no_update = () => window.dash_clientside.no_update;
  window.dash_clientside = window.dash_clientside || {};
  Object.assign((window.dash_clientside.workbench = window.dash_clientside.workbench || {}), {
    /** Parts of the page have come. */
    draw: function (parts) {
      draw(parts);
      if (parts && "workbench-headline" in parts) document.body.classList.remove("busy");
    },

    /** An address: where to look, what to count anew, which numbers the map needs; each only where it has changed. */
    route: function (search) {
      const address = search || "", what = at.focus ? whatOf(address) : yanpan.what(address), same = what === at.what;
      const area = (query) => looks(query).get("area");
      const here = at.focus && area(at.what || "") === area(address);
      at.what = what;
      if (same) document.body.classList.remove("busy");  // the same question in another spelling
      // The level is known unless the area changes or the address sets another one; then the map says it (look).
      const fixed = looks(address).get("level");
      const level = here ? fixed || (at.focus.fixed ? null : at.level) : null;
      const wanted = level && at.focus.levels.some((one) => one.level === level) ? request(address, level) : null;
      if (wanted) waiting(true);
      return [{ search: address }, same ? no_update() : { search: "?" + what }, wanted || no_update()];
    },

    look: function (focus) {
      if (!focus) return;
      draw(focus.parts);
      if (focus.fault !== undefined) { at.focus = null; at.asked = null; clear(); return; }
      withMap(function (map) {
        const before = at.focus, first = before === null;
        const moved = first || before.area !== focus.area || before.release !== focus.release;
        at.focus = focus;
        at.spelling = yanpan.what(focus.search);
        if (at.what === at.spelling) at.what = focus.what;
        if (at.asked && at.asked.search === focus.search) at.asked.meant = JSON.stringify(question(focus.search, at.level));
        map.getContainer().closest(".map-panel").dataset.measure = focus.measure;
        if (!first && before.release !== focus.release) {
          at.asked = null;
          window.dash_clientside.set_props(IDS.what, { data: { search: "?" + focus.what, release: focus.release } });
        }
        const view = first && savedView();  // before anything moves the map, which writes it
        arrange();
        if (moved) {
          if (view) map.setView([view[1], view[2]], view[0], { animate: false });
          else fit(!first && !matchMedia("(prefers-reduced-motion: reduce)").matches);
        }
        at.placed = true;
        saveView();
        let zoom = map.getZoom();
        const bounds = boundsOf(focus);
        if (moved && bounds && !view) zoom = Math.min(18, map.getBoundsZoom(bounds, false, window.L.point(48, 92)));
        yanpan.layerPanel(focus);
        refresh();
        ask(fittingLevel(zoom));
        if (at.values && at.board.values) repaint();
        document.dispatchEvent(new CustomEvent("yanpan:focus", { detail: focus }));
      });
    },

    /** Numbers have come. */
    paint: function (packed) {
      if (!packed) return;
      if (packed.fault !== undefined) { draw(packed.parts); clear(); return; }
      if (!at.focus || !at.asked || JSON.stringify(packed.request) !== at.asked.sent) return;
      waiting(false);
      const values = yanpan.units.decode(packed);
      yanpan.units.unitsOf(at.focus.release, values.level).then(function (list) {
        if (!at.focus || !at.asked || JSON.stringify(packed.request) !== at.asked.sent) return;
        at.values = values;
        at.list = list;
        draw(packed.parts);
        repaint();
        document.dispatchEvent(new CustomEvent("yanpan:values", { detail: { values, list, focus: at.focus } }));
      }).catch(function () { clear(); draw({ "workbench-map-note": say("地图数据读取失败，请重新打开页面") }); });
    },
  });

  function clear() {
    waiting(false);
    document.body.classList.remove("busy");
    at.values = null;
    at.level = null;
    at.asked = null;
    for (const board of boards()) { board.clearUnits(); yanpan.overlays.clear(board); }
    if (at.map) at.map.getPane("labels").replaceChildren();
    if (at.outline) { at.outline.remove(); at.outline = null; }
    if (at.map) yanpan.draw.clear(at.map);
    hideCard();
    document.dispatchEvent(new CustomEvent("yanpan:cleared"));
  }

  /* --- boards ----------------------------------------------------------------------------------------------------------- */

  const boards = () => [at.board, at.past].filter(Boolean);
  const shownNames = () => new Set(at.focus.layers.map(([name]) => name));
  /** The question of the overlays: the public API answers it, so an export and a method card ask the same. */
  function overlayQuestion() {
    const focus = at.focus, past = new URLSearchParams(focus.what), area = new URLSearchParams();
    if (focus.windows[1]) {
      past.set("from", focus.windows[1][0]);
      past.set("to", focus.windows[1][1]);
      past.set("compare", "none");
    }
    if (focus.area) area.set("area", focus.area);
    return { what: focus.what, before: past.toString(), area: area.toString(), release: focus.release, cover: focus.cover.chosen };
  }
  /* Incidents only show close up, clustered first: from afar they hide what the units say. */
  function layersNow() {
    const finest = at.focus.levels.length && at.focus.levels[at.focus.levels.length - 1].level;
    const near = at.map.getZoom() >= POINTS_FROM || (at.focus.area && at.focus.least === finest);
    return near ? at.focus.layers : at.focus.layers.filter(([name]) => name !== "incidents");
  }
  /* Numbers and units first; what takes a second to compute waits until they are there, and fades meanwhile. */
  function showOverlays() {
    clearTimeout(at.slow);
    const { LAYERS } = yanpan.overlays, waiting = !at.values || document.body.matches(".busy, .painting");
    const layers = layersNow(), held = waiting ? layers.filter(([name]) => !LAYERS[name].slow) : layers;
    for (const board of boards()) yanpan.overlays.show(board, layers, overlayQuestion(), new Set(held.map(([name]) => name)));
    if (waiting && held.length < layers.length) at.slow = setTimeout(showOverlays, 60);
  }
  function refresh() {
    if (!at.focus) return;
    for (const board of boards()) board.showBase(at.focus.release, shownNames());
    showOverlays();
    drawOutline();
    drawLabels();
    split();
  }
  function repaint() {
    for (const board of boards()) board.showUnits(at.values, at.list, at.focus.measure, at.focus.release, Boolean(at.focus.polygon));
    drawLabels();
    split();
    if (at.pointer) showCard(at.pointer);
  }

  /** One map, a swipe over it, or two side by side: as the address says. */
  function arrange() {
    const view = at.focus.view, panel = at.map.getContainer().closest(".map-panel");
    if (panel.dataset.view === (view || "")) return names(panel);
    if (at.past) { at.past.remove(); at.past = null; }
    if (at.second) {
      at.map.off("move", at.leading);
      at.second.remove();
      at.second = null;
      panel.querySelector(".map-second").remove();
    }
    at.board.clip(null);
    const turned = panel.dataset.view !== undefined;
    panel.dataset.view = view || "";
    at.map.invalidateSize({ animate: false });
    if (turned && at.placed) fit(false);  // half as wide, or whole again
    if (view === "side") {
      const place = document.createElement("div");
      place.className = "map map-second";
      at.map.getContainer().after(place);
      at.second = window.L.map(place, { zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5, maxZoom: 19, minZoom: 4 });
      at.second.setView(at.map.getCenter(), at.map.getZoom(), { animate: false });
      at.past = new yanpan.Board(at.second, true, false);
      at.leading = together(at.map, at.second);
      together(at.second, at.map);
      pointing(at.second, () => at.past);
      basemap(at.second);
    } else if (view === "swipe") at.past = new yanpan.Board(at.map, true, true);
    names(panel);
  }
  /** The windows over their halves. */
  function names(panel) {
    const [now, before] = panel.querySelectorAll(".window-name");
    now.textContent = at.focus.names[0] + " " + at.focus.spans[0];
    before.textContent = at.focus.windows[1] ? at.focus.names[1] + " " + at.focus.spans[1] : "";
    panel.querySelector(".window-names").style.left = at.focus.view === "side" ? "50%" : panel.querySelector(".window-names").style.left;
  }
  let following = false;
  function together(leader, follower) {
    function lead() {
      if (following) return;
      following = true;
      follower.setView(leader.getCenter(), leader.getZoom(), { animate: false });
      following = false;
    }
    leader.on("move", lead);
    return lead;
  }
  /** Where the swipe stands; both halves keep to their side. */
  function split() {
    const handle = document.getElementById("swipe-handle");
    if (!at.focus || at.focus.view !== "swipe" || !handle) return;
    const x = Math.round(at.map.getSize().x * at.split);
    handle.style.left = x + "px";
    document.querySelector(".window-names").style.left = x + "px";
    handle.setAttribute("aria-valuenow", Math.round(at.split * 100));
    for (const board of boards()) board.clip(x);
  }
  function swiping(handle) {
    handle.addEventListener("pointerdown", function (event) {
      handle.setPointerCapture(event.pointerId);
      const box = at.map.getContainer().getBoundingClientRect();
      const move = (e) => { at.split = Math.min(0.98, Math.max(0.02, (e.clientX - box.left) / box.width)); split(); };
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", move), { once: true });
      event.preventDefault();
    });
    handle.addEventListener("keydown", function (event) {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!by) return;
      at.split = Math.min(0.98, Math.max(0.02, at.split + by));
      split();
      event.preventDefault();
      event.stopPropagation();
    });
  }

  function drawOutline() {
    if (at.outline) { at.outline.remove(); at.outline = null; }
    const pane = at.board.pane("outline");
    if (at.focus.outline) {
      at.outline = window.L.geoJSON(JSON.parse(at.focus.outline), {
        pane: pane, interactive: false, style: { color: yanpan.paint.css("--accent"), weight: 2.6, fill: false },
      }).addTo(at.map);
    }
    if (at.focus.polygon) yanpan.draw.show(at.map, at.focus.polygon);
    else yanpan.draw.clear(at.map);
  }
  function drawScale(bar) {
    const map = at.map, y = map.getSize().y / 2;
    const most = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
    const power = Math.pow(10, Math.floor(Math.log10(most))), length = [5, 2, 1].find((k) => k * power <= most) * power;
    bar.style.width = length / most * 100 + "px";
    bar.textContent = length >= 1000 ? say("{n} 公里", { n: length / 1000 }) : say("{n} 米", { n: length });
  }
  function basemap(map) { if (at.focus) yanpan.basemap.apply(map, at.focus.base || null); }

  function drawLabels() {
    if (!at.map || !at.focus) return;
    const shown = at.values && shownNames().has("labels");
    yanpan.labels(at.map, shown ? at.values : null, at.list, at.focus.root);
  }

  /* --- hover and drill ----------------------------------------------------------------------------------------------------- */

  function hideCard() {
    at.pointer = null;
    if (at.card) at.card.hidden = true;
    for (const board of boards()) board.hover(0);
  }
  function showCard(pointer) {
    const { event, board } = pointer;
    const id = at.values ? board.unitAt(event.latlng) : 0;
    if (!id || document.body.dataset.drawing) return hideCard();
    at.pointer = pointer;
    for (const one of boards()) one.hover(id);
    yanpan.units.card(at.card, id - 1, at.values, at.list, at.focus, board.past);
    at.card.hidden = false;
    const frame = at.card.parentElement.getBoundingClientRect(), own = board.map.getContainer().getBoundingClientRect();
    const px = event.containerPoint.x + own.left - frame.left, py = event.containerPoint.y + own.top - frame.top;
    const x = px + 18 + at.card.offsetWidth > frame.width ? px - 14 - at.card.offsetWidth : px + 18;
    at.card.style.transform = "translate(" + x + "px," + Math.max(8, Math.min(py - 10, frame.height - at.card.offsetHeight - 30)) + "px)";
  }
  function pointing(map, boardOf) {
    const coordinates = document.querySelector(".coordinates");
    map.on("mousemove", function (event) {
      showCard({ event: event, board: boardOf(event) });
      coordinates.textContent = event.latlng.lng.toFixed(5) + ", " + event.latlng.lat.toFixed(5);
    });
    map.on("mouseout movestart zoomstart", hideCard);
    map.on("click", function (event) {
      if (!at.values || document.body.dataset.drawing) return;
      const id = boardOf(event).unitAt(event.latlng);
      const code = id && at.list.codes[id - 1];
      if (code && code !== at.focus.area) { hideCard(); yanpan.go({ area: code }); }
    });
  }
  function up() { if (at.focus && at.focus.area) yanpan.go({ area: at.focus.parent }); }

  /* --- starting -------------------------------------------------------------------------------------------------------------- */

  const queue = [];
  function withMap(then) { if (at.map) then(at.map); else queue.push(then); }
  function start(map) {
    if (map.attributionControl) map.attributionControl.setPrefix("研判");
    const panel = map.getContainer().closest(".map-panel");
    at.map = map;
    at.board = new yanpan.Board(map, false, false);
    at.board.onOverlay = drawLabels;
    at.card = panel.appendChild(document.createElement("div"));
    at.card.className = "hover-card floating-card";
    at.card.hidden = true;
    pointing(map, (event) => (at.focus && at.focus.view === "swipe" && at.past && event.containerPoint.x < at.split * map.getSize().x ? at.past : at.board));
    map.on("moveend zoomend", function () {
      drawScale(panel.querySelector(".scale-bar"));
      if (!at.focus || !at.placed) return;
      saveView();
      ask(fittingLevel(map.getZoom()));
      showOverlays();
      drawLabels();
      split();
      for (const board of boards()) board.zoomed();
    });
    map.on("move", split);
    map.on("resize", drawLabels);
    new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
    panel.querySelector(".zoom.in").onclick = () => map.zoomIn(1);
    panel.querySelector(".zoom.out").onclick = () => map.zoomOut(1);
    panel.querySelector(".zoom.fit").onclick = () => fit(true);
    panel.querySelector(".zoom.measure").onclick = () => yanpan.measure.toggle(map);
    swiping(document.getElementById("swipe-handle"));
    for (const then of queue.splice(0)) then(map);
  }
  window.L.Map.addInitHook(function () {
    if (this.getContainer().id === IDS.map) this.whenReady(() => setTimeout(() => start(this), 0));
  });
  document.addEventListener("yanpan:focus", function () { basemap(at.map); if (at.second) basemap(at.second); });
  document.addEventListener("yanpan:theme", function () {
    if (!at.map || !at.focus) return;
    refresh();
    if (at.values) repaint();
    for (const board of boards()) yanpan.overlays.recolour(board);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || document.body.dataset.drawing || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const card = document.getElementById("method-card");
    if (card && !card.hidden) card.hidden = true;
    else up();
  });
  /* Choosing a place by drawing. */
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-draw]");
    if (!button || !at.map) return;
    const kind = button.dataset.draw;
    if (kind === "extent") yanpan.go({ polygon: yanpan.draw.extent(at.map) });
    else yanpan.draw.start(at.map, kind, (wkt) => yanpan.go({ polygon: wkt }));
  });
  document.addEventListener("yanpan:draw-refused", (event) => draw({ "workbench-map-note": ["p", { class: "empty" }, [event.detail]] }));

  yanpan.workbench = {
    /** The Selection as the API takes it. */
    query: () => (at.focus ? at.focus.what : yanpan.what(location.search)),
    level: () => at.level,
    focus: () => at.focus,
    /** A layer's opacity while its slider moves. */
    fade: function (name, opacity) {
      for (const board of boards()) {
        const entry = board.overlays[name];
        if (entry && entry.pane) board.map.getPane(entry.pane).style.opacity = opacity / 100;
      }
    },
    draw: draw,
  };
  yanpan.find = yanpan.find || {};
  yanpan.find.onChoose = function (row) {
    if (row.kind === "area" || row.kind === "grid") yanpan.go({ area: row.code });
    else if (at.map) at.map.setView([row.lat, row.lon], Math.max(17, at.map.getZoom()));
  };
})();
