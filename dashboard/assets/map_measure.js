/* Measuring on the map: a line with the length of each part and of the whole, an area where it closes; all geodesic. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const CLOSE_PX = 10;
  const say = (text, values) => yanpan.say(text, values);
  const flat = (latlng) => [latlng.lng, latlng.lat];
  let on = null;  // the measurement in hand or standing on the map

  function measurement(map) {
    const path = [], group = window.L.layerGroup().addTo(map), labels = [];
    const option = { pane: yanpan.mapTool.pane(map, "outline"), interactive: false };
    const line = window.L.polyline([], Object.assign({ className: "measure-line" }, option)).addTo(group);
    const next = window.L.polyline([], Object.assign({ className: "measure-next" }, option)).addTo(group);
    const far = (a, b) => map.latLngToContainerPoint(a).distanceTo(map.latLngToContainerPoint(b));
    const part = (a, b) => yanpan.geometry.length(flat(a), flat(b));
    let session = null;

    const total = () => path.reduce((sum, p, i) => sum + (i ? part(path[i - 1], p) : 0), 0);
    function label(latlng, text, className) {
      const icon = window.L.divIcon({ className: "measure-label " + className, html: "", iconSize: null });
      const marker = window.L.marker(latlng, {
        icon: icon, interactive: false, keyboard: false, pane: yanpan.mapTool.pane(map, "said"), zIndexOffset: /whole/.test(className) ? 1000 : 0,
      }).addTo(group);
      marker.getElement().textContent = text;
      labels.push(marker);
    }
    function draw() {
      line.setLatLngs(path);
      for (const one of labels.splice(0)) one.remove();
      path.forEach(function (p, i) {
        label(p, "", "measure-dot");
        if (i) label(middle(path[i - 1], p), yanpan.geometry.lengthText(part(path[i - 1], p)), "measure-part");
      });
    }
    function middle(a, b) {
      return map.unproject(map.project(a).add(map.project(b)).divideBy(2));
    }
    function move(latlng) {
      if (!path.length) return;
      const last = path[path.length - 1];
      next.setLatLngs([last, latlng]);
      session.say(yanpan.geometry.lengthText(part(last, latlng)) + " · " + say("共 {n}", { n: yanpan.geometry.lengthText(total() + part(last, latlng)) }));
    }
    function end(closed) {
      next.setLatLngs([]);
      session.stop();
      session = null;
      if (path.length < 2) return clear();
      if (closed) {
        label(middle(path[path.length - 1], path[0]), yanpan.geometry.lengthText(part(path[path.length - 1], path[0])), "measure-part");
        window.L.polygon(path, Object.assign({ className: "measure-area" }, option)).addTo(group);
        const ring = path.map(flat), whole = yanpan.geometry.valid(ring, false);
        const round = total() + part(path[path.length - 1], path[0]);
        const size = whole ? yanpan.geometry.areaText(yanpan.geometry.area(ring)) : say("边界自相交，没有面积");
        label(window.L.latLngBounds(path).getCenter(), say("周长 {n}", { n: yanpan.geometry.lengthText(round) }) + " · " + size, "measure-whole");
      } else label(path[path.length - 1], say("共 {n}", { n: yanpan.geometry.lengthText(total()) }), "measure-whole measure-end");
      document.addEventListener("keydown", escape, true);
    }
    function escape(event) {
      if (event.key !== "Escape" || document.body.dataset.drawing || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      clear();
    }
    function clear() {
      if (session) { session.stop(); session = null; }
      document.removeEventListener("keydown", escape, true);
      group.remove();
      on = null;
      told();
    }
    session = yanpan.mapTool(map, {
      name: "measure", drags: false, hint: say("逐点单击量距离，双击或回车结束，点回起点量面积 · Esc 清除"),
      move: move, cancel: clear, enter: () => end(false),
      click: function (latlng) {
        if (path.length > 2 && far(path[0], latlng) < CLOSE_PX) return end(true);
        path.push(latlng);
        draw();
        move(latlng);
      },
      double: () => end(false),
      undo: function () { path.pop(); draw(); if (!path.length) { next.setLatLngs([]); session.say(""); } },
    });
    return { map: map, clear: clear };
  }
  function told() { document.dispatchEvent(new CustomEvent("yanpan:measure", { detail: on !== null })); }

  yanpan.measure = {
    /** Begin to measure, or put the measurement away. A ``yanpan:measure`` event says which. */
    toggle: function (map) {
      if (on) { const before = on.map; on.clear(); if (before === map) return; }
      on = measurement(map);
      told();
    },
    get active() { return on !== null; },
  };
})();
