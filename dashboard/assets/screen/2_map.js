/* The wall's map: one Leaflet map, a pane for each theme, all drawn before they are shown. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const PADDING = 26, BASE = 200, OVER = 640, FEW = 120;
  const at = { map: null, layers: {}, marks: [], names: null, named: [], canvases: {} };
  const css = (name) => yanpan.paint.css(name);
  const px = (n) => n * yanpan.wall.scale;

  function build() {
    const L = window.L;
    at.map = L.map("city", { zoomControl: false, attributionControl: false, zoomSnap: 0, dragging: false, scrollWheelZoom: false, doubleClickZoom: false,
      boxZoom: false, keyboard: false, touchZoom: false, zoomAnimation: false, fadeAnimation: false, preferCanvas: true });
    at.map.setView([0, 0], 4);
    for (const [name, z] of [["ground", BASE], ["base", BASE + 10], ["outline", OVER - 20], ["names", OVER]]) {
      at.map.createPane(name).style.zIndex = z;
      at.map.getPane(name).style.pointerEvents = "none";
    }
    at.names = document.createElement("div");
    at.names.className = "hotspot-names theme-of";
    at.names.dataset.of = "hotspots";
    document.querySelector(".map-body").append(at.names);
    at.map.on("click", function ({ latlng }) {
      const land = (at.layers.ground || [])[0], id = land ? land.idAt(latlng) : 0;
      if (id) document.dispatchEvent(new CustomEvent("yanpan:touch", { detail: { code: at.land.codes[id - 1] } }));
    });
    return at.map;
  }
  /** The pane of a theme, made where it is missing; not seen until it is the theme's turn. */
  function pane(theme) {
    const name = "theme-" + theme;
    if (!at.map.getPane(name)) {
      const made = at.map.createPane(name);
      made.classList.add("theme-pane");
      made.style.zIndex = BASE + 20;
      made.style.opacity = theme === yanpan.screen.theme ? 1 : 0;
    }
    return name;
  }
  /** The canvas of a theme, one for good: Leaflet keeps a renderer on the map when its shapes have gone. Thousands of
      elements in its place would slow every turn. */
  function canvas(theme) {
    const name = pane(theme);
    return (at.canvases[theme] = at.canvases[theme] || window.L.canvas({ pane: name, padding: 0.1 }));
  }
  function fit() {
    const b = yanpan.screen.map.bounds;
    at.map.invalidateSize({ animate: false });
    if (b) at.map.fitBounds([[b[1], b[0]], [b[3], b[2]]], { animate: false, padding: [px(PADDING), px(PADDING)] });
    scaleBar();
    placeNames();
  }
  function scaleBar() {
    const bar = document.querySelector(".scale-bar"), size = at.map.getSize();
    const metres = at.map.distance(at.map.containerPointToLatLng([0, size.y / 2]), at.map.containerPointToLatLng([size.x, size.y / 2])) / size.x;
    const wanted = metres * px(140), power = Math.pow(10, Math.floor(Math.log10(wanted))), round = [5, 2, 1].find((n) => n * power <= wanted) * power;
    bar.style.width = round / metres + "px";
    bar.textContent = round >= 1000 ? yanpan.say("{n} 公里", { n: round / 1000 }) : yanpan.say("{n} 米", { n: round });
  }
  function put(theme, layer) {
    (at.layers[theme] = at.layers[theme] || []).push(layer);
    layer.addTo(at.map);
    return layer;
  }
  /** Take a theme's layers away; tiles stay until those that take their place are there. */
  function drop(theme, next) {
    const old = at.layers[theme] || [];
    at.layers[theme] = [];
    const away = () => { for (const layer of old.splice(0)) layer.remove(); };
    if (!next || !old.length) { away(); return; }
    next.once("load", away);
    setTimeout(away, 5000);
  }

  /** Land, its borders, roads and water: what every theme stands on. */
  function ground(release, level, list) {
    at.land = list;
    const values = { level: level, size: list.codes.length, counted: false, limits: { count: [] }, columns: { shown: new Uint8Array(list.codes.length).fill(1) } };
    const land = yanpan.units.layer(level, release, list, "ground");
    drop("ground", land);
    put("ground", land).paint(yanpan.paint.units(values, list, "count", 11, false, false));
    const base = yanpan.identityLayer(window.L, { url: yanpan.tileUrl("base", release), pane: "base" });
    put("ground", base).paint(yanpan.paint.base(new Set(["road", "water"])));
    const outline = yanpan.screen.map.outline;
    if (outline) put("ground", window.L.geoJSON(JSON.parse(outline), { pane: "outline", interactive: false, style: { color: css("--accent"), weight: px(2.6), fill: false } }));
  }
  /** Names of the districts (in a district's own wall of its streets), large and faint, between the marks. */
  function named(list) {
    at.named = list;
    placeNames();
  }
  function units(theme, values, list, release) {
    const layer = yanpan.units.layer(values.level, release, list, pane(theme));
    drop(theme, layer);
    put(theme, layer).paint(yanpan.paint.units(values, list, values.measure, 11, false, false));
  }
  /** Rings at the places of units, their area the number found, a wedge what is still open. */
  function rings(theme, values, list) {
    drop(theme);
    const L = window.L, c = values.columns, most = Math.max(1, ...Array.from(c.found || [0]));
    for (let i = 0; i < values.size; i++) {
      if (!c.shown[i] || !c.found || list.lat[i] === null) continue;
      const missing = c.dispute_state[i] === 0, found = c.found[i];
      if (!missing && found < 0) continue;
      const size = missing ? 40 : Math.max(26, 60 * Math.sqrt(found / most)), share = found > 0 && c.open[i] > 0 ? Math.min(1, c.open[i] / found) : 0;
      const icon = L.divIcon({ className: "dispute-ring" + (missing ? " missing" : found === 0 ? " zero" : ""), iconSize: [0, 0], html: "<span></span>" });
      const mark = L.marker([list.lat[i], list.lon[i]], { icon: icon, pane: pane(theme), interactive: false, keyboard: false });
      mark.on("add", function () {
        const ring = mark.getElement().firstChild;
        ring.textContent = missing ? yanpan.units.missing() : yanpan.units.short(found);
        ring.style.width = ring.style.height = px(size) + "px";
        if (!missing && found > 0) ring.style.background = "conic-gradient(" + css("--warn") + " 0 " + share * 360 + "deg, " + css("--accent-fill") + " 0)";
      });
      put(theme, mark);
    }
  }
  function cover(theme, release, failing) {
    const layer = yanpan.identityLayer(window.L, { url: yanpan.tileUrl("coverage", release, "&method=best"), pane: pane(theme), minNativeZoom: 11 });
    drop(theme, layer);
    put(theme, layer).paint(yanpan.paint.coverage());
    const L = window.L, many = failing.length > FEW, icon = L.divIcon({ className: "", iconSize: [0, 0], html: "<i class='failing'></i>" });
    const group = L.layerGroup();
    for (const one of failing) {
      if (!one.geometry || one.geometry.type !== "Point") continue;
      const [lon, lat] = one.geometry.coordinates, still = { pane: pane(theme), interactive: false };
      group.addLayer(many ? L.circleMarker([lat, lon], { ...still, renderer: canvas(theme), radius: px(2.5), stroke: false, fillColor: css("--warn"), fillOpacity: 0.8 })
        : L.marker([lat, lon], { ...still, icon: icon, keyboard: false }));
    }
    put(theme, group);
  }
  function density(features, marks) {
    drop("hotspots");
    const colours = [1, 2, 3, 4, 5].map((i) => css("--density-" + i));
    const surface = window.L.geoJSON({ type: "FeatureCollection", features: features }, {
      pane: pane("hotspots"), interactive: false, renderer: canvas("hotspots"),
      style: (one) => ({ stroke: one.properties.class === 0, color: colours[1], weight: 1, opacity: 0.7, fillColor: colours[one.properties.class], fillOpacity: 0.78 }),
    });
    put("hotspots", surface);
    at.marks = marks;
    for (const one of marks) {
      const icon = window.L.divIcon({ className: "hotspot-ring", iconSize: [0, 0], html: "<b>" + one.number + "</b>" });
      const mark = window.L.marker([one.lat, one.lon], { icon: icon, pane: pane("hotspots"), keyboard: false });
      mark.on("click", () => document.dispatchEvent(new CustomEvent("yanpan:touch", { detail: { code: one.code, number: one.number } })));
      put("hotspots", mark);
    }
    placeNames();
  }

  /* --- names: none over another, over a ring or over the legend --------------------------------------------------------- */

  const AROUND = [[1, -1], [1, 1], [-1, -1], [-1, 1], [1, 0], [-1, 0], [0, -1], [0, 1]];
  function placeNames() {
    if (!at.map || !at.names) return;
    at.names.replaceChildren();
    at.map.getPane("names").replaceChildren();
    const frame = at.map.getContainer().getBoundingClientRect(), ring = px(17), taken = [];
    const size = at.map.getSize(), flat = frame.width / (at.map.getContainer().offsetWidth || 1);
    const boxOf = (element) => { const b = element.getBoundingClientRect(); return [(b.left - frame.left) / flat, b.top - frame.top, (b.right - frame.left) / flat, b.bottom - frame.top]; };
    const legend = document.querySelector(".legend-box[data-of=hotspots]"), bar = document.querySelector(".scale-bar");
    for (const one of [legend, bar]) if (one && one.firstChild) taken.push(boxOf(one));
    const points = at.marks.map((one) => at.map.latLngToContainerPoint([one.lat, one.lon]));
    for (const p of points) taken.push([p.x - ring, p.y - ring, p.x + ring, p.y + ring]);
    const lines = at.names.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    at.marks.forEach(function (one, i) {
      if (!one.label) return;
      const p = points[i], name = document.createElement("div");
      name.className = "hotspot-name";
      yanpan.render(name, one.label);
      at.names.append(name);
      const w = name.offsetWidth, h = name.offsetHeight;
      for (const reach of [34, 58, 90]) {
        const spot = AROUND.map(function ([dx, dy]) {
          const x = p.x + dx * px(reach) + (dx > 0 ? 0 : dx < 0 ? -w : -w / 2), y = p.y + dy * px(reach) - h / 2;
          return { x, y, dx, dy, box: [x - 4, y - 4, x + w + 4, y + h + 4] };
        }).find(({ x, y, box }) => x > 6 && y > 6 && x + w < size.x - 6 && y + h < size.y - 6 &&
          !taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1]));
        if (!spot) continue;
        name.style.transform = "translate(" + Math.round(spot.x) + "px," + Math.round(spot.y) + "px)";
        taken.push(spot.box);
        const line = lines.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line"));
        const angle = Math.atan2(spot.y + h / 2 - p.y, (spot.dx > 0 ? spot.x : spot.dx < 0 ? spot.x + w : spot.x + w / 2) - p.x);
        for (const [key, value] of Object.entries({ x1: p.x + Math.cos(angle) * px(14), y1: p.y + Math.sin(angle) * px(14),
          x2: spot.dx > 0 ? spot.x : spot.dx < 0 ? spot.x + w : spot.x + w / 2, y2: spot.y + h / 2 })) line.setAttribute(key, value.toFixed(1));
        return;
      }
      name.remove();  // the ring and the list still say it
    });
    for (const one of at.named) {
      const p = at.map.latLngToContainerPoint([one.lat, one.lon]), wide = [...one.name].length * px(25), high = px(14);
      const box = [p.x - wide / 2, p.y - high, p.x + wide / 2, p.y + high];
      if (p.x < 0 || p.y < 0 || p.x > size.x || p.y > size.y) continue;
      if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
      taken.push(box);
      const label = document.createElement("span");
      label.className = "district-name";
      label.textContent = one.name;
      const q = at.map.latLngToLayerPoint([one.lat, one.lon]);
      label.style.left = q.x + "px";
      label.style.top = q.y + "px";
      at.map.getPane("names").append(label);
    }
  }

  /** Outline the area that was touched; null takes it away. */
  function picked(geojson) {
    if (at.picked) { at.picked.remove(); at.picked = null; }
    if (geojson) at.picked = window.L.geoJSON(JSON.parse(geojson), { pane: "outline", interactive: false, style: { color: css("--accent"), weight: px(2.6), fill: false } }).addTo(at.map);
  }

  yanpan.city = { build, picked, fit, ground, named, units, rings, cover, density, drop, placeNames,
    show: function (theme) { for (const name in at.map.getPanes()) if (name.startsWith("theme-")) at.map.getPane(name).style.opacity = name === "theme-" + theme ? 1 : 0; } };
  document.addEventListener("yanpan:arranged", () => { if (at.map) fit(); });
})();
