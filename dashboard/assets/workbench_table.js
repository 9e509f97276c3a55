/* The drawer under the map: the units of the map's level, whose numbers are here already, or a list asked for. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const IDS = { table: "workbench-table", tabs: "workbench-tabs", size: "workbench-table-size" };
  const FIRST = 200, REST_MS = 700;  // rows at once, and when the others follow
  const at = { tab: null, key: null, units: null, rows: [], size: 0 };

  function table(rows) { window.dash_ag_grid.getApiAsync(IDS.table).then((grid) => grid.setGridOption("rowData", rows)); }
  function say(text) { yanpan.workbench.draw({ [IDS.size]: text }); }
  /* The old rows go first, so that no cell of the new columns is drawn from them. */
  function lay(columns, rows) {
    window.dash_ag_grid.getApiAsync(IDS.table).then(function (grid) {
      grid.setGridOption("rowData", []);
      window.dash_clientside.set_props(IDS.table, { columnDefs: columns, rowData: rows });
    });
  }
  const list = (tab, what) => yanpan.ask("/workbench/list?tab=" + tab + "&" + what);

  /* Rows of the units, most events first; all of them, or only the first ``most``, which is what can be seen at once. */
  function unitRows(most) {
    if (!at.units) return [];
    const { values, list: units, focus } = at.units, { count, shown } = values.columns, order = [];
    for (let i = 0; i < values.size; i++) if (shown[i]) order.push(i);
    order.sort((a, b) => count[b] - count[a] || a - b);  // units stand in the order of their codes
    at.size = order.length;
    at.rows = order.slice(0, most).map((i) => yanpan.units.row(i, values, units, focus));
    return at.rows;
  }
  function fillHead() {
    if (!at.units) return;
    const { values, focus } = at.units, { thousands, PARTIAL } = yanpan.units, n = thousands(at.size);
    const name = (focus.levels.find((one) => one.level === values.level) || {}).name || "";
    const tab = document.querySelector("#" + IDS.tabs + " .tab-link");
    if (tab) tab.textContent = yanpan.say(name) + " " + n;
    say((at.rows.some((one) => one.partial) ? "＊" + yanpan.say(PARTIAL) + " · " : "") +
      yanpan.say("匹配 {all} · 显示 {n}", { all: thousands(values.matched), n: n }));
  }
  function fill(tab, what, release) {
    const key = tab + "?" + what + "@" + release;
    if (at.key === key) return;
    const turned = at.tab !== tab, before = at.tab;
    at.tab = tab;
    at.key = key;
    clearTimeout(at.rest);
    if (tab === "units") {
      if (turned && before) list(tab, what).then((body) => { lay(body.columns, unitRows()); fillHead(); });
      return;
    }
    say(yanpan.say("正在读取…"));
    list(tab, what)
      .then(function (body) {
        if (at.key !== key) return;
        lay(body.columns, body.rows);
        say(body.head);
      })
      .catch(function (fault) { if (at.key === key) { lay([], []); say(fault.message); at.key = null; } });
  }

  document.addEventListener("yanpan:focus", (event) => fill(event.detail.tab, event.detail.what, event.detail.release));
  document.addEventListener("yanpan:values", function (event) {
    at.units = event.detail;
    if (event.detail.focus.tab !== "units") return;
    clearTimeout(at.rest);
    table(unitRows(FIRST));
    fillHead();
    if (at.size > FIRST) at.rest = setTimeout(function () { table(unitRows()); fillHead(); }, REST_MS);
  });
  document.addEventListener("yanpan:cleared", function () { at.units = null; at.key = null; table([]); say(""); });
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("#drawer-switch");
    if (!button) return;
    const closed = button.closest(".drawer").classList.toggle("closed");
    button.textContent = yanpan.say(closed ? "展开" : "收起");
    button.setAttribute("aria-expanded", String(!closed));
  });
})();
