/* Layers over the units, each drawn from the same public answer that a method card cites and an export holds. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const say = (text, values) => yanpan.say(text, values);
  const css = (name) => yanpan.paint.css(name);
  const COVERAGE_FROM = 11;  // zoom from which camera areas are wider than a pixel

  /* --- what each layer asks and how it is drawn -------------------------------------------------------------------- */

  const hotspots = (method) => (ask) => "/api/v1/hotspots?method=" + method + (ask.past ? "&window=before&" : "&") + ask.what;
  const inView = (layer) => (ask) => "/api/v1/features/" + layer + "?" + ask.inWindow + "&bbox=" + ask.bbox + "&zoom=" + ask.zoom;
  const whole = (layer) => (ask) => "/api/v1/features/" + layer + "?" + ask.inWindow;

  /** name: title in the panel; ask -> address; draw(features, meta, tools) -> Leaflet layer; moves: asked for each view;
      timeless: the same in both windows. */
  const LAYERS = {
    incidents: { title: "警情点位", url: inView("incident"), moves: true, draw: drawPoints(incidentPoint, incidentCard) },
    cameras: { title: "摄像机", url: inView("camera"), moves: true, timeless: true, draw: drawPoints(cameraPoint, cameraCard) },
    key_places: { title: "重点场所", url: inView("key_place"), moves: true, timeless: true, draw: drawPoints(placePoint, placeCard) },
    kde: { title: "核密度", url: hotspots("kde"), draw: drawDensity, method: true, slow: true },
    hotspots: { title: "热点编号", url: hotspots("gi"), draw: drawHotspots, method: true, slow: true },
    repeat_places: { title: "重复警情", url: hotspots("repeat_places"), draw: drawRepeats, method: true },
    near_repeat: { title: "近重复连线", url: hotspots("near_repeat"), draw: drawLinks, method: true, slow: true },
    coverage: { title: "视频覆盖", tiles: "coverage", timeless: true, method: true },
    blind: { title: "盲区热点", url: whole("blind"), draw: drawBlind, method: true, slow: true },
    rules: { title: "覆盖规则", url: whole("rule_failure"), draw: drawFailures, timeless: true, method: true, slow: true },
    labels: { title: "区域名称" },
    road: { title: "道路", base: true },
    water: { title: "水系", base: true },
    building: { title: "建筑", base: true },
  };

  /* --- asking ------------------------------------------------------------------------------------------------------- */

  const busy = new Map();  // layer name -> what is being asked
  const told = new Map();  // layer name -> what the panel says of it: a fault, or what is drawn and what not
  function tell() { document.dispatchEvent(new CustomEvent("yanpan:overlays", { detail: { busy, told } })); }

  /** Show layers on a board: [[name, opacity %]] bottom to top, for a question {what, before, area, release}; those
      not in ``asked`` keep what they show, faintly, until they are asked again. */
  function show(board, shown, ask, asked) {
    const wanted = new Map(shown.filter(([name]) => LAYERS[name] && (LAYERS[name].url || LAYERS[name].tiles)));
    for (const name in board.overlays) if (!wanted.has(name)) drop(board, name);
    shown.forEach(function ([name, opacity], place) {
      if (!wanted.has(name) || (board.past && LAYERS[name].timeless && board.shared)) return;
      const pane = board.overlayPane(name, place);
      board.map.getPane(pane).style.opacity = opacity / 100 * (asked.has(name) ? 1 : 0.35);
      if (!asked.has(name)) return;
      if (LAYERS[name].tiles) tiles(board, name, pane, ask);
      else request(board, name, pane, ask);
    });
    tell();
  }
  function request(board, name, pane, ask) {
    const map = board.map, view = map.getBounds(), entry = board.overlays[name] || (board.overlays[name] = {});
    const asked = Object.assign({}, ask, { past: board.past, inWindow: LAYERS[name].timeless ? ask.area : board.past ? ask.before : ask.what });
    asked.bbox = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()].map((v) => v.toFixed(5)).join(",");
    asked.zoom = map.getZoom().toFixed(2);
    const url = LAYERS[name].url(asked), key = ask.release + " " + url;
    if (entry.key === key) return;
    entry.key = key;
    entry.pane = pane;
    if (entry.control) entry.control.abort();
    entry.control = new AbortController();
    busy.set(name, LAYERS[name].title);
    yanpan.ask(url, { signal: entry.control.signal })
      .then(function (body) {
        if (entry.key !== key || board.overlays[name] !== entry) return;
        entry.body = body;
        place(board, name, entry);
        if (!board.past) told.set(name, { meta: body.meta, url: url });
      })
      .catch(function (fault) {
        if (fault.name === "AbortError" || entry.key !== key) return;
        if (entry.layer) { entry.layer.remove(); entry.layer = null; }
        entry.key = null;
        if (!board.past) told.set(name, { fault: fault.message || say("读取失败") });
      })
      .finally(function () { if (entry.key === key || entry.key === null) { busy.delete(name); tell(); } });
  }
  function place(board, name, entry) {
    const tools = { board, pane: entry.pane, renderer: renderer(board, entry.pane) };
    const layer = LAYERS[name].draw(entry.body.features || [], entry.body.meta, tools);
    if (entry.layer) entry.layer.remove();
    entry.layer = layer.addTo(board.map);
    if (board.onOverlay) board.onOverlay();
  }
  function renderer(board, pane) {
    board.renderers = board.renderers || {};
    return board.renderers[pane] || (board.renderers[pane] = window.L.canvas({ pane: pane, tolerance: 4 }));
  }
  function tiles(board, name, pane, ask) {
    const entry = board.overlays[name] || (board.overlays[name] = {});
    const key = ask.release + " " + ask.cover;
    if (entry.key !== key) {
      if (entry.layer) entry.layer.remove();
      entry.key = key;
      entry.layer = yanpan.identityLayer(window.L, { url: yanpan.tileUrl(LAYERS[name].tiles, ask.release, "&method=" + ask.cover), pane: pane, minZoom: COVERAGE_FROM });
      entry.layer.addTo(board.map);
    }
    entry.layer.paint(yanpan.paint.coverage());
    told.set(name, board.map.getZoom() < COVERAGE_FROM ? { note: say("放大后显示") } : {});
  }
  function drop(board, name) {
    const entry = board.overlays[name];
    if (entry.control) entry.control.abort();
    if (entry.layer) entry.layer.remove();
    delete board.overlays[name];
    busy.delete(name);
    told.delete(name);
  }
  function clear(board) { for (const name in board.overlays) drop(board, name); tell(); }
  /** Other colours: draw again what is there. */
  function recolour(board) {
    for (const name in board.overlays) {
      const entry = board.overlays[name];
      if (LAYERS[name].tiles) entry.layer.paint(yanpan.paint.coverage());
      else if (entry.body && entry.layer) place(board, name, entry);
    }
  }

  /* --- drawing ------------------------------------------------------------------------------------------------------ */

  /* Marks on canvas: circle, square, triangle, diamond; a stroke through what does not work. */
  function shapes() {
    const L = window.L;
    if (L.Canvas.prototype._updateMark) return;
    L.Canvas.include({
      _updateMark: function (layer) {
        if (!this._drawing || layer._empty()) return;
        const p = layer._point, r = Math.max(Math.round(layer._radius), 1), c = this._ctx, shape = layer.options.shape;
        c.beginPath();
        if (shape === "square") c.rect(p.x - r * 0.9, p.y - r * 0.9, r * 1.8, r * 1.8);
        else if (shape === "triangle") { c.moveTo(p.x, p.y - r * 1.1); c.lineTo(p.x + r * 1.05, p.y + r * 0.8); c.lineTo(p.x - r * 1.05, p.y + r * 0.8); c.closePath(); }
        else if (shape === "diamond") { c.moveTo(p.x, p.y - r * 1.2); c.lineTo(p.x + r * 1.2, p.y); c.lineTo(p.x, p.y + r * 1.2); c.lineTo(p.x - r * 1.2, p.y); c.closePath(); }
        else c.arc(p.x, p.y, r, 0, Math.PI * 2, false);
        if (layer.options.struck) { c.moveTo(p.x - r, p.y + r); c.lineTo(p.x + r, p.y - r); }
        this._fillStroke(c, layer);
      },
    });
    yanpan.Mark = L.CircleMarker.extend({ _updatePath: function () { this._renderer._updateMark(this); } });
  }

  function drawPoints(style, card) {
    return function (features, meta, tools) {
      shapes();
      const L = window.L, group = L.layerGroup();
      for (const feature of features) {
        const [lon, lat] = feature.geometry.coordinates, p = feature.properties;
        if (p.cluster) { group.addLayer(cluster([lat, lon], p, tools, style)); continue; }
        const mark = new yanpan.Mark([lat, lon], Object.assign({ pane: tools.pane, renderer: tools.renderer, weight: 1.3 }, style(p)));
        mark.bindTooltip(() => card(p), { className: "point-card", direction: "top", offset: [0, -6] });
        group.addLayer(mark);
      }
      return group;
    };
  }
  /* A ring whose arcs are the shares of its parts; a click comes closer. */
  function cluster(at, p, tools, style) {
    const L = window.L, size = Math.round(24 + 7 * Math.min(4, Math.log10(p.count)));
    const parts = Object.entries(p.by || {}).sort((a, b) => b[1] - a[1]);
    let from = 0;
    const stops = parts.map(function ([name, n]) {
      const until = from + n / p.count * 360, colour = clusterColour(name, style);
      const stop = colour + " " + from.toFixed(1) + "deg " + until.toFixed(1) + "deg";
      from = until;
      return stop;
    });
    const icon = L.divIcon({ className: "cluster", html: "<span>" + yanpan.units.short(p.count) + "</span>", iconSize: [size, size] });
    const mark = L.marker(at, { icon: icon, pane: tools.pane, keyboard: false });
    mark.on("add", () => { mark.getElement().style.background = stops.length ? "conic-gradient(" + stops.join(",") + ")" : css("--accent"); });
    mark.bindTooltip(() => clusterCard(p, parts), { className: "point-card", direction: "top", offset: [0, -size / 2] });
    mark.on("click", () => tools.board.map.setView(at, Math.min(18, tools.board.map.getZoom() + 1.5)));
    return mark;
  }
  function clusterColour(name, style) {
    const k = yanpan.units.CATEGORIES.indexOf(name);
    if (k >= 0) return css("--cat-" + k);
    return { online: css("--good"), offline: css("--bad"), unknown: css("--line3") }[name] || css("--accent");
  }
  const STATES = { online: "在线", offline: "离线", unknown: "状态不明" };
  function clusterCard(p, parts) {
    const box = document.createElement("div"), line = yanpan.units.line;
    line(box, "strong", "", say("共 {n}", { n: yanpan.units.thousands(p.count) }));
    for (const [name, n] of parts.slice(0, 7)) line(box, "div", "", say(STATES[name] || name) + " " + yanpan.units.thousands(n));
    return box;
  }

  function incidentPoint(p) {
    return { radius: 5, color: css("--panel"), fillColor: css("--cat-" + Math.max(0, yanpan.units.CATEGORIES.indexOf(p.category))), fillOpacity: 1 };
  }
  function incidentCard(p) {
    const box = document.createElement("div"), line = yanpan.units.line;
    line(box, "strong", "", say(p.category) + (p.subcategory ? " · " + p.subcategory : ""));
    const time = p.occurred_from.replace("T", " ").slice(0, 16);
    line(box, "div", "", p.occurred_to ? say("在 {from} 至 {to} 之间", { from: time, to: p.occurred_to.replace("T", " ").slice(0, 16) }) : time);
    const rest = [p.place_type, p.status].filter(Boolean).join(" · ");
    if (rest) line(box, "div", "caption", rest);
    if (p.location_quality !== "exact") {
      line(box, "div", "warn", "◆ " + say("定位：{what}", { what: say(yanpan.units.QUALITIES[p.location_quality] || p.location_quality) }));
    }
    return box;
  }
  const NETWORK_SHAPES = { 天网: "circle", 雪亮: "square", 地网: "triangle", 社会: "diamond" };
  function cameraPoint(p) {
    const on = p.state === "online", off = p.state === "offline";
    return { radius: 5, shape: NETWORK_SHAPES[p.network] || "circle", struck: off, color: css(on ? "--panel" : off ? "--bad" : "--t3"),
             fillColor: css(on ? "--good" : "--panel"), fillOpacity: 1, weight: on ? 1 : 1.6 };
  }
  function cameraCard(p) {
    const box = document.createElement("div"), line = yanpan.units.line;
    line(box, "strong", "", p.name || p.camera_code);
    line(box, "div", p.state === "offline" ? "bad" : "", say(STATES[p.state] || "状态不明") + (p.device_state ? " · " + say(p.device_state) : ""));
    line(box, "div", "caption", [p.network && say(p.network), p.location_type, p.hd === true ? say("高清") : ""].filter(Boolean).join(" · "));
    const look = [];
    if (p.range_m) look.push(say("可视 {n} 米", { n: Math.round(p.range_m) }));
    if (p.bearing_deg !== null && p.bearing_deg !== undefined) look.push(say("朝向 {n}°", { n: Math.round(p.bearing_deg) }));
    if (look.length) line(box, "div", "caption", look.join(" · "));
    if (p.status_at) line(box, "div", "caption", say("状态时间 {at}", { at: p.status_at.replace("T", " ").slice(0, 16) }));
    return box;
  }
  function placePoint() { return { radius: 5, shape: "diamond", color: css("--panel"), fillColor: css("--cat-5"), fillOpacity: 1 }; }
  function placeCard(p) {
    const box = document.createElement("div"), line = yanpan.units.line;
    line(box, "strong", "", p.name || p.place_id);
    line(box, "div", "caption", p.kind || "");
    return box;
  }

  function shape(features, style, card, tools) {
    return window.L.geoJSON({ type: "FeatureCollection", features: features }, {
      pane: tools.pane, renderer: tools.renderer, style: style, pointToLayer: null,
      onEachFeature: card ? (feature, layer) => layer.bindTooltip(() => card(feature.properties), { className: "point-card", sticky: true }) : undefined,
    });
  }
  function drawDensity(features, meta, tools) {
    const colours = [1, 2, 3, 4, 5].map((i) => css("--density-" + i));
    return shape(features, function (feature) {
      const k = feature.properties.class;
      return { stroke: k === 0, color: colours[1], weight: 0.8, opacity: 0.7, fillColor: colours[k], fillOpacity: 0.74, interactive: false };
    }, null, tools);
  }
  function drawHotspots(features, meta, tools) {
    const L = window.L, flagged = features.filter((one) => /^hot9[59]/.test(one.properties.label || one.properties.class));
    const group = L.layerGroup([shape(flagged, () => ({ color: css("--t1"), weight: 1.4, fill: false, interactive: false }), null, tools)]);
    for (const one of meta.groups || []) {
      const icon = L.divIcon({ className: "hotspot-number", html: "<b>" + one.number + "</b>", iconSize: [26, 26] });
      const mark = L.marker([one.lat, one.lon], { icon: icon, pane: tools.pane, title: "" });
      mark.bindTooltip(() => hotspotCard(one), { className: "point-card", direction: "top", offset: [0, -14] });
      mark.on("click", () => yanpan.go({ area: one.code }));
      group.addLayer(mark);
    }
    return group;
  }
  function hotspotCard(one) {
    const box = document.createElement("div"), line = yanpan.units.line;
    line(box, "strong", "", say("热点 {n}", { n: one.number }) + " · " + one.name);
    line(box, "div", "", say("{n} 起", { n: yanpan.units.thousands(one.count) }) +
      (one.before === null || one.before === undefined ? "" : " · " + say("对比期 {n}", { n: yanpan.units.thousands(one.before) })));
    line(box, "div", "caption", say("{n} 个单元成片", { n: one.units }) + " · " + yanpan.units.pText(Math.round(one.p_min * 10000)));
    return box;
  }
  function drawRepeats(features, meta, tools) {
    shapes();
    const L = window.L, group = L.layerGroup();
    for (const feature of features) {
      const p = feature.properties, [lon, lat] = feature.geometry.coordinates;
      const mark = new yanpan.Mark([lat, lon], { pane: tools.pane, renderer: tools.renderer, radius: 4 + 2.2 * Math.sqrt(p.count),
        color: css("--bad"), weight: 1.6, fillColor: css("--bad"), fillOpacity: 0.22 });
      mark.bindTooltip(function () {
        const box = document.createElement("div"), line = yanpan.units.line;
        line(box, "strong", "", say("同一地点 {n} 起", { n: p.count }));
        if (p.first) line(box, "div", "caption", p.first.replace("T", " ").slice(0, 16) + " — " + p.last.replace("T", " ").slice(0, 16));
        return box;
      }, { className: "point-card", direction: "top" });
      group.addLayer(mark);
    }
    return group;
  }
  function drawLinks(features, meta, tools) {
    return shape(features, () => ({ color: css("--bad"), weight: 1.6, opacity: 0.75 }), function (p) {
      const box = document.createElement("div");
      yanpan.units.line(box, "div", "", say("相距 {m} 米，相隔 {d} 天", { m: Math.round(p.metres), d: (+p.days).toFixed(1) }));
      return box;
    }, tools);
  }
  function drawBlind(features, meta, tools) {
    return shape(features, () => ({ color: css("--bad"), weight: 2.2, dashArray: "5 3", fillColor: css("--bad"), fillOpacity: 0.16 }), function (p) {
      const box = document.createElement("div"), line = yanpan.units.line;
      line(box, "strong", "", p.name);
      line(box, "div", "", say("{n} 起中 {m} 起无在线摄像机可见", { n: p.count, m: p.uncovered }));
      if (p.nearest_camera_m !== null && p.nearest_camera_m !== undefined) line(box, "div", "caption", say("最近在线摄像机 {n} 米", { n: Math.round(p.nearest_camera_m) }));
      return box;
    }, tools);
  }
  function drawFailures(features, meta, tools) {
    shapes();
    const group = window.L.layerGroup();
    for (const feature of features) {
      const p = feature.properties, [lon, lat] = feature.geometry.coordinates;
      const mark = new yanpan.Mark([lat, lon], { pane: tools.pane, renderer: tools.renderer, radius: 5, shape: "square", struck: true,
        color: css("--warn"), weight: 1.6, fillColor: css("--panel"), fillOpacity: 1 });
      mark.bindTooltip(function () {
        const box = document.createElement("div"), line = yanpan.units.line;
        line(box, "strong", "", p.name || p.place_id);
        line(box, "div", "warn", "◆ " + p.rule + " " + say(p.reason || "未达标"));
        if (p.nearest_camera_m !== null && p.nearest_camera_m !== undefined) line(box, "div", "caption", say("最近在线摄像机 {n} 米", { n: Math.round(p.nearest_camera_m) }));
        return box;
      }, { className: "point-card", direction: "top" });
      group.addLayer(mark);
    }
    return group;
  }

  yanpan.overlays = { LAYERS, show, clear, recolour, busy, told };
})();
