/* The map of /workbench: which level fits, colours from numbers, hover card, drill, labels, points, table. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const IDS = { map: "workbench-map", request: "workbench-request", points: "workbench-points-request",
                table: "workbench-table", head: "workbench-table-head", size: "workbench-table-size" };
  const LEVELS = ["district", "street", "community", "grid"];
  const HATCH = 0x00010203;  // stands for "hatched" in a lookup table; no colour of ours
  const POINTS_FROM = 15.5;  // zoom from which single incidents are asked for; in an area of the finest level, always
  const BASE = { water: 1, building: 2, minor: 4, middle: 8, main: 16 };
  const PARTIAL = "差只按两期都已上报、同样齐全的部分";
  const CHANGE_CLASS = { "▼": 0, "▽": 1, "○": 3, "◆": 5, "▲": 6 };
  const { WORDS, thousands, signed, shortName, parentName, decode, unitsOf, row, line } = yanpan.units;
  const at = { map: null, focus: null, values: null, level: null, layers: {}, shown: new Set() };

  /* --- colours -------------------------------------------------------------------------------------------------- */

  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function abgr(colour, alpha) {
    const hex = colour.replace("#", "");
    const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
    return ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  function lines(zoom, level) {
    const faint = level === "grid" ? Math.min(1, Math.max(0.25, (zoom - 12) / 4)) : 1;
    return Int32Array.of(0, abgr(css("--map-grid"), 0.9 * faint), abgr(css("--map-street"), 0.95), abgr(css("--map-district"), 1));
  }
  function basePaint() {
    const lut = new Int32Array(256), road = css("--map-road");
    const shown = [["road", BASE.main, abgr(road, 0.75)], ["road", BASE.middle, abgr(road, 0.6)], ["road", BASE.minor, abgr(road, 0.45)],
                   ["building", BASE.building, abgr(css("--map-building"), 0.6)], ["water", BASE.water, abgr(css("--map-water"), 0.85)]];
    for (let bits = 1; bits < 256; bits++) {
      const top = shown.find(([name, bit]) => bits & bit && at.shown.has(name));
      if (top) lut[bits] = top[2];
    }
    return { lut: lut, lines: new Int32Array(4), hatch: new Int32Array(2) };
  }
  function unitPaint(values) {
    const lut = new Int32Array(values.size + 1);
    const c = values.columns, measure = at.focus.measure;
    const alpha = Math.min(0.86, Math.max(0.55, 0.86 - (at.map.getZoom() - 14) * 0.12)), limits = values.limits;
    const counts = [0, 1, 2, 3, 4, 5].map((i) => abgr(css("--count-" + i), i ? alpha : alpha * 0.55));
    const change = WORDS.map(([word, mark]) => abgr(word === "无法比较" ? css("--sunk") : css("--change-" + CHANGE_CLASS[mark]), alpha));
    const land = abgr(css("--map-land"), 0.5), none = abgr(css("--sunk"), alpha);
    for (let i = 0; i < values.size; i++) {
      if (!c.shown[i] || !values.counted) { lut[i + 1] = land; continue; }
      const n = c.count[i];
      if (n < 0) lut[i + 1] = HATCH;
      else if (measure === "change" && c.verdict) lut[i + 1] = c.verdict[i] < 0 ? none : change[c.verdict[i]];
      else if (measure === "rate" && c.rate) lut[i + 1] = c.rate[i] < 0 ? none : counts[n === 0 ? 0 : above(limits.rate, c.rate[i] / 1000)];
      else lut[i + 1] = counts[above(limits.count, n)];
    }
    return { lut: lut, lines: lines(at.map.getZoom(), values.level), hatch: Int32Array.of(abgr(css("--warn-fill"), 0.9), abgr(css("--warn"), 0.75)) };
  }
  function above(limits, value) {
    let k = 0;
    while (k < limits.length && value >= limits[k]) k++;
    return k;
  }

  /* --- level and view ------------------------------------------------------------------------------------------- */

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
  const PADDING = { paddingTopLeft: [24, 56], paddingBottomRight: [24, 36] };
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
  function request(level) {
    at.level = level;
    return { search: at.focus.search, level: level, release: at.focus.release };
  }

  /* --- the clientside callbacks ----------------------------------------------------------------------------------- */

  function draw(parts) {
    for (const id in parts) {
      const target = document.getElementById(id);
      if (target) yanpan.render(target, parts[id]);
    }
    document.dispatchEvent(new CustomEvent("yanpan:drawn"));
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.workbench = {
    /** Parts of the page have come. */
    draw: function (parts) {
      draw(parts);
      if (parts && "workbench-headline" in parts) document.body.classList.remove("busy");
    },

    /** The address has changed: look there, and ask for the numbers of the level that fits. */
    look: function (focus) {
      if (!focus) return window.dash_clientside.no_update;
      draw(focus.parts);
      if (focus.fault !== undefined) { at.focus = null; clear(); return null; }
      return new Promise(function (resolve) {
        withMap(function (map) {
          const first = at.focus === null;
          const moved = first || at.focus.area !== focus.area || at.focus.release !== focus.release;
          const same = at.focus && at.focus.search === focus.search && at.focus.release === focus.release;
          at.focus = focus;
          map.getContainer().parentElement.dataset.measure = focus.measure;
          drawOutline();
          let zoom = map.getZoom();
          if (moved) {
            const view = first && savedView();
            const bounds = boundsOf(focus);
            if (view) { map.setView([view[1], view[2]], view[0], { animate: false }); zoom = view[0]; }
            else if (bounds) {
              zoom = Math.min(18, map.getBoundsZoom(bounds, false, window.L.point(48, 92)));
              fit(!first && !matchMedia("(prefers-reduced-motion: reduce)").matches);
            }
            base();
          }
          const level = fittingLevel(zoom);
          if (!level) return resolve(null);
          askPoints();
          if (same && level === at.level && at.values) { repaint(); return resolve(window.dash_clientside.no_update); }
          resolve(request(level));
        });
      });
    },

    /** Numbers, or what to draw of them, have changed. */
    paint: function (packed, shown) {
      if (at.shownList !== shown) {
        at.shownList = shown;
        at.shown = new Set(shown || []);
        if (at.map && at.focus) { base(); askPoints(); }
      }
      if (!packed) return;
      if (packed.fault !== undefined) { draw(packed.parts); clear(); return; }
      if (!at.focus) return;
      if (!at.values || at.values.packed !== packed) {
        const values = decode(packed);
        values.packed = packed;
        unitsOf(at.focus.release, values.level).then(function (list) {
          if (!at.focus || values.search !== at.focus.search || values.level !== at.level) return;
          at.values = values;
          at.list = list;
          swap();
          repaint();
          draw(packed.parts);
          setTimeout(fillTable, 0);
        }).catch(function () { clear(); draw({ "workbench-map-note": "地图数据读取失败，请重新打开页面" }); });
      } else repaint();
    },
  };

  function clear() {
    at.values = null;
    at.level = null;
    for (const key in at.layers) if (key !== "base") { at.layers[key].remove(); delete at.layers[key]; }
    if (at.map) at.map.getPane("labels").replaceChildren();
    if (at.outline) { at.outline.remove(); at.outline = null; }
    hideCard();
    table([]);
    draw({ [IDS.size]: "" });
  }

  /* --- layers ----------------------------------------------------------------------------------------------------- */

  function tileUrl(layer) {
    const release = encodeURIComponent(at.focus.release);
    return (c) => "/tiles/" + layer + "/" + c.z + "/" + c.x + "/" + c.y + ".png?release=" + release;
  }
  function base() {
    let layer = at.layers.base;
    if (layer && layer.release !== at.focus.release) { layer.remove(); layer = null; }
    if (!layer) {
      layer = yanpan.identityLayer(window.L, { url: tileUrl("base"), weigh: null, pane: "base" });
      layer.release = at.focus.release;
      at.layers.base = layer.addTo(at.map);
    }
    layer.paint(basePaint());
  }
  function swap() {
    const level = at.values.level, key = level + "@" + at.focus.release;
    if (at.layers[key]) return;
    const list = at.list, above = list.above;
    const weigh = function (a, b) {
      if (!a || !b) return 3;
      if (level === "district") return 3;
      if (above.district && above.district[a - 1] !== above.district[b - 1]) return 3;
      if (level === "street") return 2;
      if (above.street && above.street[a - 1] !== above.street[b - 1]) return 2;
      return 1;
    };
    const layer = yanpan.identityLayer(window.L, { url: tileUrl(level), weigh: weigh, pane: "units", hatchMarker: HATCH });
    const old = Object.keys(at.layers).filter((k) => k !== "base");
    for (const k of old) at.layers[k].setOpacity(0.3);  // what was there stays faintly until the new level is whole
    layer.setOpacity(old.length ? 0 : 1);
    layer.once("load", function () {
      for (const k of old) if (at.layers[k]) { at.layers[k].remove(); delete at.layers[k]; }
      layer.setOpacity(1);
    });
    at.layers[key] = layer.addTo(at.map);
  }
  function unitLayer() { return at.values && at.layers[at.values.level + "@" + at.focus.release]; }
  function repaint() {
    const layer = unitLayer();
    if (!layer) return;
    layer.paint(unitPaint(at.values));
    drawLabels();
    if (at.pointer) showCard(at.pointer);
  }
  function drawOutline() {
    if (at.outline) { at.outline.remove(); at.outline = null; }
    if (!at.focus.outline) return;
    at.outline = window.L.geoJSON(at.focus.outline, {
      pane: "outline", interactive: false, style: { color: css("--accent"), weight: 2.6, fill: false },
    }).addTo(at.map);
  }

  function drawScale(bar) {
    const map = at.map, y = map.getSize().y / 2;
    const most = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
    const power = Math.pow(10, Math.floor(Math.log10(most))), length = [5, 2, 1].find((k) => k * power <= most) * power;
    bar.style.width = length / most * 100 + "px";
    bar.textContent = length >= 1000 ? length / 1000 + " 公里" : length + " 米";
  }

  /* --- labels ----------------------------------------------------------------------------------------------------- */

  function drawLabels() {
    if (!at.map || !at.focus) return;
    const pane = at.map.getPane("labels");
    pane.replaceChildren();
    if (!at.values || !at.shown.has("labels")) return;
    const list = at.list, map = at.map, view = map.getBounds().pad(0.02), scale = 256 * Math.pow(2, map.getZoom()) / 360;
    const taken = [], big = list.level === "district" ? 15 : 12;
    const order = [];
    for (let i = 0; i < list.codes.length; i++) {
      const wide = list.width[i] * scale;
      if (wide < 2 * big || !at.values.columns.shown[i] || !view.contains([list.lat[i], list.lon[i]])) continue;
      const name = shortName(list.names[i], parentName(i, list, at.focus.root)), text = [...name].reduce((sum, ch) => sum + (ch > "\u2e7f" ? 1 : 0.56), 0) * big;
      if (wide > text * 0.9) order.push([wide, i, text, name]);
    }
    order.sort((a, b) => b[0] - a[0]);
    for (const [, i, text, name] of order.slice(0, 200)) {
      const p = map.latLngToContainerPoint([list.lat[i], list.lon[i]]);
      const box = [p.x - text / 2 - 4, p.y - big * 0.8, p.x + text / 2 + 4, p.y + big * 0.8];
      if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
      taken.push(box);
      const label = document.createElement("span");
      label.className = "map-label " + list.level;
      label.textContent = name;
      window.L.DomUtil.setPosition(label, map.latLngToLayerPoint([list.lat[i], list.lon[i]]));
      pane.appendChild(label);
      if (taken.length >= 60) break;
    }
  }

  /* --- hover and drill --------------------------------------------------------------------------------------------- */

  function pointed(event) {
    const layer = unitLayer();
    const id = layer ? layer.idAt(event.latlng) : 0;
    return id && at.values.columns.shown[id - 1] ? id : 0;
  }
  function hideCard() {
    at.pointer = null;
    if (at.card) at.card.hidden = true;
    const layer = unitLayer();
    if (layer) layer.hover(0);
  }
  function showCard(event) {
    const id = pointed(event);
    if (!id) return hideCard();
    at.pointer = event;
    const layer = unitLayer();
    layer.hover(id, abgr(css("--accent"), 1));
    const one = row(id - 1, at.values, at.list, at.focus), card = at.card;
    card.replaceChildren();
    line(card, "strong", "", one.name);
    line(card, "div", "caption", one.parent);
    if (one.count === undefined) line(card, "div", "caption", "没有事件来源");
    else if (one.count === null) line(card, "div", "missing", "未报：没有任何上报，不按0计");
    else {
      const numbers = line(card, "div", "numbers", "");
      line(numbers, "b", "", thousands(one.count));
      line(numbers, "span", "", " 起");
      if (one.rate !== null) line(numbers, "span", "caption", "　每千人 " + one.rate.toFixed(2).replace(/\.?0+$/, ""));
    }
    if (one.gaps && one.count) line(card, "div", "caption", "缺 " + one.gaps + " 个上报期");
    if (one.verdict) {
      const past = at.focus.before;
      if (one.before === null) line(card, "div", "caption", past + "未报，无法比较");
      else if (one.verdict === "无法比较") line(card, "div", "caption", "– 无法比较");
      else {
        const text = at.focus.unequal ? past + " " + thousands(one.before) + "（天数不同，按日均检验）"
          : one.before === 0 ? past + (one.difference ? "为0，增加" + one.difference + "起" : "也为0")
          : past + " " + thousands(one.before) + "　" + signed(one.difference) + "　" + one.percentText;
        line(card, "div", "", text);
        if (one.partial) line(card, "div", "caption", PARTIAL);
        const word = WORDS.find((w) => w[0] === one.verdict);
        const last = line(card, "div", "judged", "");
        line(last, "span", "verdict " + word[2], word[1] + " " + word[0]);
        line(last, "span", "p", one.pText);
      }
    }
    card.hidden = false;
    const size = at.map.getSize(), p = event.containerPoint;
    const x = p.x + 18 + card.offsetWidth > size.x ? p.x - 14 - card.offsetWidth : p.x + 18;
    card.style.transform = "translate(" + x + "px," + Math.max(8, Math.min(p.y - 10, size.y - card.offsetHeight - 30)) + "px)";
  }
  function drill(event) {
    const id = pointed(event);
    if (!id) return;
    const code = at.list.codes[id - 1];
    if (code !== at.focus.area) { hideCard(); yanpan.go({ area: code }); }
  }
  function up() {
    if (at.focus && at.focus.area) yanpan.go({ area: at.focus.parent });
  }

  /* --- points ------------------------------------------------------------------------------------------------------ */

  function askPoints() {
    const finest = at.focus.levels[at.focus.levels.length - 1].level;
    const near = at.map.getZoom() >= POINTS_FROM || (at.focus.area && at.focus.least === finest);
    const close = at.shown.has("points") && near;
    let wanted = null;
    if (close) {
      const b = at.map.getBounds();
      wanted = { search: at.focus.search, release: at.focus.release,
                 bbox: [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => +v.toFixed(6)) };
    }
    const key = JSON.stringify(wanted);
    if (key === at.askedPoints) return;
    at.askedPoints = key;
    window.dash_clientside.set_props(IDS.points, { data: wanted });
  }
  /* --- table ------------------------------------------------------------------------------------------------------- */

  /* Straight to the grid: 28,000 rows are no business of the page's store. */
  function table(rows) {
    window.dash_ag_grid.getApiAsync(IDS.table).then((grid) => grid.setGridOption("rowData", rows));
  }
  function fillTable() {
    const v = at.values;
    if (!v) return;
    const rows = [];
    for (let i = 0; i < v.size; i++) if (v.columns.shown[i]) rows.push(row(i, v, at.list, at.focus));
    rows.sort((a, b) => (b.count ?? -1) - (a.count ?? -1) || (a.code < b.code ? -1 : 1));
    const name = (at.focus.levels.find((one) => one.level === v.level) || {}).name || "";
    table(rows);
    draw({ [IDS.head]: name + " " + thousands(rows.length),
           [IDS.size]: (rows.some((one) => one.partial) ? "＊" + PARTIAL + " · " : "") +
             "匹配 " + thousands(v.matched) + " · 显示 " + thousands(rows.length) });
  }
  /* --- starting ---------------------------------------------------------------------------------------------------- */

  const waiting = [];
  function withMap(then) { if (at.map) then(at.map); else waiting.push(then); }
  function start(map) {
    map.attributionControl && map.attributionControl.setPrefix("研判");
    for (const [name, z] of [["units", 220], ["base", 230], ["outline", 410], ["labels", 640]]) {
      map.createPane(name).style.zIndex = z;
      map.getPane(name).style.pointerEvents = "none";
    }
    const panel = map.getContainer().closest(".map-panel");
    at.card = panel.appendChild(document.createElement("div"));
    at.card.className = "hover-card floating-card";
    at.card.hidden = true;
    map.on("mousemove", showCard);
    map.on("mouseout movestart zoomstart", hideCard);
    map.on("click", drill);
    map.on("mousemove", function (event) {
      panel.querySelector(".coordinates").textContent = event.latlng.lng.toFixed(5) + ", " + event.latlng.lat.toFixed(5);
    });
    map.on("moveend zoomend", function () {
      drawScale(panel.querySelector(".scale-bar"));
      if (!at.focus) return;
      saveView();
      const level = fittingLevel(map.getZoom());
      if (level && level !== at.level) window.dash_clientside.set_props(IDS.request, { data: request(level) });
      askPoints();
      drawLabels();
      const layer = unitLayer();
      if (layer && layer.zoomPainted !== map.getZoom()) { layer.zoomPainted = map.getZoom(); layer.paint(unitPaint(at.values)); }
    });
    map.on("resize", drawLabels);
    new ResizeObserver(() => map.invalidateSize()).observe(panel);
    panel.querySelector(".zoom.in").onclick = () => map.zoomIn(1);
    panel.querySelector(".zoom.out").onclick = () => map.zoomOut(1);
    panel.querySelector(".zoom.fit").onclick = () => fit(true);
    at.map = map;
    for (const then of waiting.splice(0)) then(map);
  }
  window.L.Map.addInitHook(function () {
    if (this.getContainer().id === IDS.map) this.whenReady(() => setTimeout(() => start(this), 0));
  });
  document.addEventListener("yanpan:theme", function () {
    if (!at.map || !at.focus) return;
    base();
    repaint();
    drawOutline();
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) up();
  });
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("#drawer-switch");
    if (!button) return;
    const closed = button.closest(".drawer").classList.toggle("closed");
    button.textContent = closed ? "展开" : "收起";
    button.setAttribute("aria-expanded", String(!closed));
  });
})();
