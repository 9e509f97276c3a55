/* Colours of the map from numbers: what each unit, base pixel and coverage pixel is painted with now. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const HATCH = 0x00010203;  // stands for "hatched" in a lookup table; no colour of ours
  const BASE = { water: 1, building: 2, minor: 4, middle: 8, main: 16 };
  const CHANGE_CLASS = { "▼": 0, "▽": 1, "○": 3, "◆": 5, "▲": 6 };
  const MISSING_LABEL = -1;

  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function abgr(colour, alpha) {
    const hex = colour.replace("#", "");
    const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
    return ((Math.round(alpha * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  function above(limits, value) {
    let k = 0;
    while (k < limits.length && value >= limits[k]) k++;
    return k;
  }
  function lines(zoom, level) {
    const faint = level === "grid" ? Math.min(1, Math.max(0.25, (zoom - 12) / 4)) : 1;
    return Int32Array.of(0, abgr(css("--map-grid"), 0.9 * faint), abgr(css("--map-street"), 0.95), abgr(css("--map-district"), 1));
  }
  const noLines = () => ({ lines: new Int32Array(4), hatch: new Int32Array(2) });

  /** What a number of one unit is, for a measure and a window: {state: "missing" | "none" | "value", value}. */
  function reading(values, list, measure, past, drawn) {
    const c = values.columns, count = past ? c.before : c.count;
    const none = { state: "none" }, missing = { state: "missing" };
    const ratio = (divisor) => (i) => {
      if (!count || count[i] < 0) return count ? missing : none;
      return divisor[i] > 0 ? { state: "value", value: count[i] / divisor[i] } : none;
    };
    if (drawn && ["density", "rate", "eb"].includes(measure)) return (i) => !count ? none : count[i] < 0 ? missing : none;  // parts of units have no rate
    if (measure === "density") return ratio(list.area_km2);
    if (measure === "rate") {
      if (past) { const people = list.population.map((n) => n / 1000); return ratio(people); }
      return (i) => c.count[i] < 0 ? missing : !c.rate || c.rate[i] < 0 ? none : { state: "value", value: c.rate[i] / 1000 };
    }
    if (measure === "eb") {
      const rate = past ? c.bayes_before : c.bayes;
      return (i) => !count || count[i] < 0 ? missing : !rate || rate[i] < 0 ? none : { state: "value", value: rate[i] / 1000 };
    }
    if (measure === "disputes") {
      return (i) => !c.found ? none : c.dispute_state[i] === 0 ? missing : c.found[i] < 0 ? none : { state: "value", value: c.found[i] };
    }
    return (i) => !count ? none : count[i] < 0 ? missing : { state: "value", value: count[i] };
  }
  const LIMITS = { count: "count", change: "count", density: "density", rate: "rate", eb: "rate", disputes: "found" };

  /** Lookup table of the units; ``past`` paints the compared window. */
  function units(values, list, measure, zoom, past, drawn) {
    const lut = new Int32Array(values.size + 1), c = values.columns;
    const alpha = Math.min(0.86, Math.max(0.55, 0.86 - (zoom - 14) * 0.12));
    const land = abgr(css("--map-land"), 0.5), none = abgr(css("--sunk"), alpha);
    const colour = byMeasure(values, list, measure, alpha, none, past, drawn);
    for (let i = 0; i < values.size; i++) lut[i + 1] = !c.shown[i] || !values.counted ? land : colour(i);
    return { lut: lut, lines: lines(zoom, values.level), hatch: Int32Array.of(abgr(css("--warn-fill"), 0.9), abgr(css("--warn"), 0.75)) };
  }
  function byMeasure(values, list, measure, alpha, none, past, drawn) {
    const c = values.columns;
    if (c.label && ["gi", "lisa", "emerging"].includes(measure)) {
      const shades = values.classes.map(([label, , token]) => abgr(css("--" + token), label === "none" ? alpha * 0.6 : alpha));
      const label = past ? c.label_before : c.label;
      return (i) => !label ? none : label[i] === MISSING_LABEL ? HATCH : label[i] < 0 ? none : shades[label[i]];
    }
    if (measure === "change" && c.verdict && !past) {
      const shades = yanpan.units.WORDS.map(([word, mark]) => abgr(word === "无法比较" ? css("--sunk") : css("--change-" + CHANGE_CLASS[mark]), alpha));
      return (i) => c.count[i] < 0 ? HATCH : c.verdict[i] < 0 ? none : shades[c.verdict[i]];
    }
    const read = reading(values, list, measure, past, drawn), limits = values.limits[LIMITS[measure] || "count"];
    const shades = [0, 1, 2, 3, 4, 5].map((i) => abgr(css("--count-" + i), i ? alpha : alpha * 0.55));
    return function (i) {
      const one = read(i);
      if (one.state === "missing") return HATCH;
      if (one.state === "none") return none;
      return shades[one.value === 0 ? 0 : above(limits, one.value)];
    };
  }
  /** Lookup table of the base tiles: each bit one thing that is drawn. */
  function base(shown) {
    const lut = new Int32Array(256), road = css("--map-road");
    const order = [["road", BASE.main, abgr(road, 0.75)], ["road", BASE.middle, abgr(road, 0.6)], ["road", BASE.minor, abgr(road, 0.45)],
                   ["building", BASE.building, abgr(css("--map-building"), 0.6)], ["water", BASE.water, abgr(css("--map-water"), 0.85)]];
    for (let bits = 1; bits < 256; bits++) {
      const top = order.find(([name, bit]) => bits & bit && shown.has(name));
      if (top) lut[bits] = top[2];
    }
    return Object.assign(noLines(), { lut: lut });
  }
  /** Lookup table of the coverage tiles: seen by one, by two or more, only by cameras that do not work or may not. */
  function coverage() {
    const lut = new Int32Array(256);
    const one = abgr(css("--good"), 0.3), more = abgr(css("--good"), 0.55), dead = abgr(css("--bad"), 0.38), unknown = abgr(css("--t3"), 0.3);
    for (let bits = 1; bits < 256; bits++) lut[bits] = bits & 2 ? more : bits & 1 ? one : bits & 4 ? dead : bits & 8 ? unknown : 0;
    return Object.assign(noLines(), { lut: lut });
  }

  yanpan.paint = { HATCH, css, abgr, above, units, base, coverage, reading };
})();
