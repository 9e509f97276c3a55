/* The side column and the rail in the browser: choosing steps of the trend, sorting the ranking; cells of the drawer's
   lists. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});

  /* Dragging over the trend chooses its steps, a click one; the stepper of the rail does the same by keyboard. The figure
     says in its meta when each step begins and ends. */
  let brush = null;
  function plot(target) {
    const graph = target.closest && target.closest("#workbench-trend .js-plotly-plot");
    const meta = graph && graph.layout && graph.layout.meta, area = graph && graph.querySelector(".nsewdrag");
    return meta && meta.starts && area ? { graph: graph, meta: meta, area: area.getBoundingClientRect() } : null;
  }
  function stepAt(p, x) {
    const n = p.meta.starts.length, at = Math.floor(((x - p.area.left) / p.area.width) * n);
    return Math.min(n - 1, Math.max(0, at));
  }
  function inside(p, event) {
    const { left, right, top, bottom } = p.area;
    return event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
  }
  const ends = () => [Math.min(brush.from, brush.to), Math.max(brush.from, brush.to)];
  function show() {
    const [a, b] = ends(), p = brush.plot, box = p.graph.getBoundingClientRect(), wide = p.area.width / p.meta.starts.length;
    Object.assign(brush.shade.style, {
      left: p.area.left - box.left + a * wide + "px", width: (b - a + 1) * wide + "px",
      top: p.area.top - box.top + "px", height: p.area.height + "px",
    });
  }
  function stop() {
    if (!brush) return;
    brush.shade.remove();
    brush = null;
  }
  document.addEventListener("pointerdown", function (event) {
    const p = event.button === 0 && plot(event.target);
    if (!p || !inside(p, event)) return;
    const at = stepAt(p, event.clientX), shade = document.createElement("div");
    shade.className = "trend-brush";
    p.graph.appendChild(shade);
    brush = { plot: p, from: at, to: at, shade: shade };
    show();
  }, true);  // before plotly, which keeps the press to itself
  document.addEventListener("pointermove", function (event) {
    if (!brush) return;
    brush.to = stepAt(brush.plot, event.clientX);
    show();
  }, true);
  document.addEventListener("pointerup", function () {
    if (!brush) return;
    const [a, b] = ends(), { starts, ends: until } = brush.plot.meta;
    stop();
    yanpan.go({ from: starts[a], to: until[b] });
  }, true);
  document.addEventListener("pointercancel", stop, true);
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || !brush) return;
    event.stopPropagation();  // it lets go of the steps, and does not leave the area
    stop();
  }, true);

  /* The ranking holds two lists; which one shows is kept for the next visit. */
  function sortRanking(by) {
    document.documentElement.dataset.rank = by;
    for (const button of document.querySelectorAll("button[data-rank]")) {
      button.classList.toggle("on", button.dataset.rank === by);
      button.setAttribute("aria-pressed", String(button.dataset.rank === by));
    }
  }
  const sorted = () => (localStorage.getItem("yanpan-rank") === "rise" ? "rise" : "count");
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("button[data-rank]");
    if (!button) return;
    localStorage.setItem("yanpan-rank", button.dataset.rank);
    sortRanking(button.dataset.rank);
  });

  document.addEventListener("yanpan:drawn", () => sortRanking(sorted()));

  /* --- cells of the drawer's lists ------------------------------------------------------------------------------- */

  const element = (...parts) => window.React.createElement(...parts);
  const day = (iso) => yanpan.say("{m}-{d}", { m: iso.slice(5, 7), d: iso.slice(8, 10), day: Number(iso.slice(8, 10)), mon: yanpan.say(Number(iso.slice(5, 7)) + "月") });
  const clock = (iso) => day(iso) + " " + iso.slice(11, 16);
  /** A time as it is known: to the minute, or the hour or day it lies in. */
  function when(one) {
    if (!one.occurred_to) return clock(one.occurred_from);
    const hours = (Date.parse(one.occurred_to) - Date.parse(one.occurred_from)) / 3600000;
    if (hours <= 1) return day(one.occurred_from) + " " + one.occurred_from.slice(11, 13) + yanpan.say("时");
    if (hours <= 24) return day(one.occurred_from);
    return day(one.occurred_from) + " — " + day(new Date(Date.parse(one.occurred_to) - 1).toISOString());
  }
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.yanpanWhen = (params) => (params.data && params.data.occurred_from ? when(params.data) : "");
  functions.yanpanClock = (params) => (params.value ? clock(params.value) : "");
  functions.yanpanWhole = (params) => (params.value === null || params.value === undefined ? yanpan.units.missing() : yanpan.units.thousands(params.value));
  functions.yanpanSigned = (params) => (params.value === null || params.value === undefined ? "—" : yanpan.units.signed(params.value));
  functions.yanpanSmall = (params) => (params.value === null || params.value === undefined ? "" : params.value < 0.0001 ? "<0.0001" : params.value.toFixed(4));
  functions.yanpanFixed = (params, digits) => (params.value === null || params.value === undefined ? "" : params.value.toFixed(digits));

  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.YanpanCategory = function (props) {
    if (!props.value) return null;
    const query = yanpan.query();
    query.delete("category");
    query.append("category", props.value);
    const swatch = element("span", { className: "swatch cat-" + yanpan.units.CATEGORIES.indexOf(props.value), "aria-hidden": "true" });
    return element("a", { className: "nav cell-category", href: "?" + query.toString(), title: yanpan.say("只看{name}", { name: yanpan.say(props.value) }) },
      swatch, yanpan.say(props.value));
  };
  /** A unit by its code, which the field "<name>_code" (or "code") holds. */
  components.YanpanUnit = function (props) {
    const code = props.data[props.colDef.field + "_code"] || props.data.code;
    if (!props.value) return null;
    if (!code) return props.value;
    const query = yanpan.query();
    query.set("area", code);
    return element("a", { className: "nav", href: "?" + query.toString(), title: props.value }, props.short ? shortOf(props) : props.value);
  };
  const shortOf = (props) => yanpan.units.shortName(props.value, props.data.community);
  components.YanpanLocated = function (props) {
    if (!props.value) return null;
    const words = yanpan.say(yanpan.units.QUALITIES[props.value] || props.value);
    return props.value === "exact" ? words : element("span", { className: "warn" }, "◆ " + words);
  };
})();
