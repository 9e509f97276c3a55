/* Choosing a place by drawing: rectangle, circle, polygon, lasso; the result is WKT, longitude first. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const MOST_POINTS = 200, MOST_CHARACTERS = 20000;  // the Selection takes no longer text
  const LASSO_STEP_PX = 2, LEAST_PX = 4, CLOSE_PX = 10;
  const MARGIN = 1;  // how much of the view around it is drawn dimmed, so that a pan does not show its end
  const say = (text, values) => yanpan.say(text, values);
  const shown = new WeakMap();  // map -> what stands for its selection

  const flat = (latlng) => [latlng.lng, latlng.lat];
  const turned = (ring) => ring.map(([lon, lat]) => [lat, lon]);
  const box = ([a, b], [c, d]) => [[a, b], [c, b], [c, d], [a, d]];

  /** Draw; ``done(wkt)`` is called once, unless it is cancelled. kind: rectangle, circle, polygon, lasso. */
  function start(map, kind, done) {
    const HINTS = {
      rectangle: "按住拖出矩形 · Esc 取消", circle: "从圆心按住向外拖 · Esc 取消",
      polygon: "逐点单击，双击或回车闭合，退格去掉一点 · Esc 取消", lasso: "按住圈画一周 · Esc 取消",
    };
    const path = [];  // corners, or the way of the lasso, as latlngs
    let preview = null, radius = 0, session = null, taken = false;
    const far = (a, b) => map.latLngToContainerPoint(a).distanceTo(map.latLngToContainerPoint(b));

    function ringTo(latlng) {
      if (kind === "rectangle") return box(flat(path[0]), flat(latlng));
      if (kind === "circle") {
        radius = yanpan.geometry.length(flat(path[0]), flat(latlng));
        return yanpan.geometry.circle(flat(path[0]), radius);
      }
      return (latlng ? [...path, latlng] : path).map(flat);
    }
    function follow(latlng) {
      if (!path.length) return;
      const ring = ringTo(latlng);
      if (!preview) {
        preview = window.L.polygon([], { pane: yanpan.mapTool.pane(map, "outline"), className: "draw-shape", interactive: false }).addTo(map);
      }
      preview.setLatLngs(turned(ring));
      const size = ring.length > 2 ? yanpan.geometry.areaText(yanpan.geometry.area(ring)) : "";
      session.say(kind === "circle" ? say("半径 {r}", { r: yanpan.geometry.lengthText(radius) }) + " · " + size : size);
    }
    function again() {
      path.length = 0;
      if (preview) { preview.remove(); preview = null; }
      session.say("");
    }
    function stop() {
      again();
      session.stop();
    }
    function finish(ring, mend) {
      const fault = ring.some(([lon, lat]) => Math.abs(lon) > 180 || Math.abs(lat) > 90) ? "超出经纬度范围，请在地图原位重画" : null;
      const whole = fault ? null : yanpan.geometry.valid(ring, mend);
      const text = whole && yanpan.geometry.wkt(whole);
      const words = fault || (!whole ? "边界自相交，请重画" : text.length > MOST_CHARACTERS ? "边界太复杂，请画得简单些" : null);
      if (words) return refuse(words);
      stop();
      done(text);
    }
    function refuse(words) {
      yanpan.draw.refused(say(words));
      if (kind !== "polygon") again();  // clicked corners stay, to be put right
    }
    /** The lasso's way with at most 200 points, chosen on the screen. */
    function lassoRing() {
      const points = path.map((latlng) => map.latLngToContainerPoint(latlng)).map((p) => [p.x, p.y]);
      return yanpan.geometry.thinned(points, MOST_POINTS).map((i) => flat(path[i]));
    }

    const drag = {
      down: function (latlng) { if (!taken) { again(); path.push(latlng); } },
      move: function (latlng) {
        if (!path.length) return;
        if (kind === "lasso" && far(path[path.length - 1], latlng) >= LASSO_STEP_PX) path.push(latlng);
        follow(kind === "lasso" ? null : latlng);
      },
      up: function (latlng) {
        taken = false;
        if (!path.length) return;
        if (kind === "lasso") {
          const reach = Math.max(...path.map((p) => far(path[0], p)));
          return path.length > 2 && reach >= LEAST_PX ? finish(lassoRing(), true) : again();
        }
        if (far(path[0], latlng) < LEAST_PX) return again();
        finish(ringTo(latlng), false);
      },
      /** By keyboard the first press sets the corner or the centre, the second ends. */
      press: function (latlng) {
        if (kind === "lasso") return;
        if (path.length) return drag.up(latlng);
        path.push(latlng);
        taken = true;
      },
    };
    const clicks = {
      move: follow,
      click: function (latlng) {
        if (path.length > 2 && far(path[0], latlng) < CLOSE_PX) return clicks.enter();
        path.push(latlng);
        follow(latlng);
      },
      double: () => clicks.enter(),
      enter: function () { if (path.length > 2) finish(ringTo(null), false); },
      undo: function () { path.pop(); if (path.length) follow(path[path.length - 1]); else again(); },
    };
    const tool = kind === "polygon" ? clicks : drag;
    session = yanpan.mapTool(map, Object.assign({ name: kind, drags: kind !== "polygon", hint: say(HINTS[kind]), cancel: stop }, tool));
  }

  /** The view of the map. */
  function extent(map) {
    const b = map.getBounds(), within = (v, most) => Math.min(most, Math.max(-most, v));
    return yanpan.geometry.wkt(box([within(b.getWest(), 180), within(b.getSouth(), 90)], [within(b.getEast(), 180), within(b.getNorth(), 90)]));
  }

  /** Show a selection's polygon: its outline, and everything else dimmed. False where the text is no polygon. */
  function show(map, text) {
    const kept = shown.get(map);
    if (kept && kept.text === text) return true;
    clear(map);
    const polygons = yanpan.geometry.parse(text);
    if (!polygons) return false;
    const rings = polygons.flat().map(turned), world = [[-90, -540], [-90, 540], [90, 540], [90, -540]];
    const place = function (shape, name, options) {
      const pane = yanpan.mapTool.pane(map, name), renderer = window.L.svg({ pane: pane, padding: MARGIN });
      return window.L.polygon(shape, Object.assign({ pane, renderer, interactive: false }, options)).addTo(map);
    };
    const layers = [place([world, ...rings], "outside", { className: "draw-outside", stroke: false }),
                    place(rings, "outline", { className: "draw-outline", fill: false })];
    shown.set(map, { text: text, layers: layers });
    return true;
  }
  function clear(map) {
    const kept = shown.get(map);
    if (!kept) return;
    for (const layer of kept.layers) { layer.remove(); layer.options.renderer.remove(); }
    shown.delete(map);
  }

  yanpan.draw = {
    start, extent, show, clear,
    /** What was drawn cannot be used; a page may set its own way of saying so. */
    refused: function (text) { document.dispatchEvent(new CustomEvent("yanpan:draw-refused", { detail: text })); },
  };
})();
