/* The wall's measure: one design height of 1080, one scale for everything, more columns where it is wide. Panels are
   placed in whole pixels and text is sized by --u, so nothing is a stretched picture. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const HEIGHT = 1080, TOP = 100, STRIP_TOP = 1000, STRIP = 64, GUTTER = 16;
  /* Columns by weight; of each panel its column, top and height from the first panel's top. */
  const LAYOUTS = {
    3: { margin: 24, columns: [456, 928, 456], places: {
      kpis: [0, 0, 368], trend: [0, 384, 240], week: [0, 640, 244], map: [1, 0, 884],
      top: [2, 0, 378], disputes: [2, 394, 204], "video-group": [2, 614, 270] } },
    4: { margin: 32, columns: [536, 1640, 536, 536], places: {
      kpis: [0, 0, 368], trend: [0, 384, 240], week: [0, 640, 244], map: [1, 0, 884],
      top: [2, 0, 470], disputes: [2, 486, 398], video: [3, 0, 212], rules: [3, 228, 318], supervised: [3, 562, 110], sources: [3, 688, 196] } },
    5: { margin: 32, columns: [458, 616, 1564, 616, 458], places: {
      kpis: [0, 0, 884], trend: [1, 0, 434], week: [1, 450, 434], map: [2, 0, 884],
      top: [3, 0, 470], disputes: [3, 486, 398], video: [4, 0, 212], rules: [4, 228, 318], supervised: [4, 562, 110], sources: [4, 688, 196] } },
  };
  const query = new URLSearchParams(location.search);
  const { settings } = window.yanpanScreen, wall = query.get("wall") || "";
  const asked = /^(\d{3,5})x(\d{3,5})$/.exec(settings.walls[wall] || wall);
  const anamorphic = query.get("fit") === "anamorphic", alone = query.get("only") === "map";

  /* The settings' order of the panels in a column, as far as it holds several of them. */
  const ORDER = [...settings.left, ...settings.right.map((name) => (name === "video" ? "video-group" : name))];
  for (const { places } of Object.values(LAYOUTS)) {
    const named = Object.keys(places).filter((name) => ORDER.includes(name)).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)), next = {};
    for (const name of named) {
      const place = places[name];
      place[1] = next[place[0]] || 0;
      next[place[0]] = place[1] + place[2] + GUTTER;
    }
  }

  function columnsFor(ratio) { return ratio < 2.2 ? 3 : ratio < 3.3 ? 4 : 5; }

  function arrange() {
    const stage = document.getElementById("stage"), width = window.innerWidth, height = window.innerHeight;
    const own = asked ? asked[1] / asked[2] : width / height, ratio = alone ? own : Math.max(1.6, own);
    // Letterboxed: the stage keeps the wall's shape inside the window. Anamorphic: it fills the window, and what the
    // wall stretches later is squeezed beforehand.
    const scale = alone ? Math.max(0.7, height / HEIGHT) : anamorphic ? height / HEIGHT : Math.min(width / (HEIGHT * ratio), height / HEIGHT);
    const whole = alone ? width : Math.floor(HEIGHT * ratio * scale), high = alone ? height : Math.floor(HEIGHT * scale), count = columnsFor(ratio);
    const style = document.documentElement.style, px = (n) => Math.round(n * scale);
    style.setProperty("--u", scale + "px");
    document.documentElement.dataset.columns = count;
    stage.style.width = whole + "px";
    stage.style.height = high + "px";
    stage.style.left = anamorphic ? "0" : Math.floor((width - whole) / 2) + "px";
    stage.style.top = Math.floor((height - high) / 2) + "px";
    stage.style.transform = anamorphic ? "scaleX(" + width / whole + ")" : "";
    const { margin, columns, places } = LAYOUTS[count], total = columns.reduce((a, b) => a + b, 0);
    const room = HEIGHT * ratio - 2 * margin - GUTTER * (columns.length - 1), lefts = [], widths = columns.map((c) => c / total * room);
    widths.reduce((x, w) => { lefts.push(x); return x + w + GUTTER; }, margin);
    style.setProperty("--margin", margin);
    for (const panel of document.querySelectorAll(".place")) {
      const name = panel.id.slice(2), at = places[name];
      if (name === "alerts" || name === "reports") continue;
      panel.classList.toggle("unplaced", !at);
      if (at) put(panel, px(lefts[at[0]]), px(TOP + at[1]), px(lefts[at[0]] + widths[at[0]]), px(TOP + at[1] + at[2]));
    }
    const last = columns.length - 1, right = px(lefts[last] + widths[last]), strip = [px(STRIP_TOP), px(STRIP_TOP + STRIP)];
    put(document.getElementById("p-alerts"), px(margin), strip[0], px(lefts[last] - GUTTER), strip[1]);
    put(document.getElementById("p-reports"), px(lefts[last]), strip[0], right, strip[1]);
    if (alone) put(document.getElementById("p-map"), 0, 0, width, height);
    const city = document.getElementById("p-map"), drill = document.getElementById("drill");
    if (city && drill) put(drill, city.offsetLeft + city.offsetWidth - px(500), city.offsetTop + px(60), city.offsetLeft + city.offsetWidth - px(10), city.offsetTop + city.offsetHeight - px(44));
    yanpan.wall = { scale, columns: count, ratio };
    document.dispatchEvent(new CustomEvent("yanpan:arranged"));
  }
  function put(panel, left, top, right, bottom) {
    if (!panel) return;
    Object.assign(panel.style, { left: left + "px", top: top + "px", width: right - left + "px", height: bottom - top + "px" });
  }

  if (alone) document.documentElement.dataset.only = "map";  // the map by itself, in another page
  const light = query.get("theme") || settings.theme;
  document.documentElement.dataset.fixedTheme = "";  // the wall's address says it, not the reader's last choice
  document.documentElement.dataset.theme = light === "light" ? "light" : "dark";
  arrange();
  let soon = 0;
  window.addEventListener("resize", function () { cancelAnimationFrame(soon); soon = requestAnimationFrame(arrange); });
})();
