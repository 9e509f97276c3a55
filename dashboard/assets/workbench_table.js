/* The drawer under the map: the units of the map's level, whose numbers are here already, or a list asked for. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const IDS = { table: "workbench-table", tabs: "workbench-tabs", size: "workbench-table-size" };
  const at = { tab: null, key: null, units: null, rows: [] };

  function table(rows) { window.dash_ag_grid.getApiAsync(IDS.table).then((grid) => grid.setGridOption("rowData", rows)); }
  function say(text) { yanpan.workbench.draw({ [IDS.size]: text }); }
  /* The old rows go first, so that no cell of the new columns is drawn from them. */
  function lay(columns, rows) {
    window.dash_ag_grid.getApiAsync(IDS.table).then(function (grid) {
      grid.setGridOption("rowData", []);
      window.dash_clientside.set_props(IDS.table, { columnDefs: columns, rowData: rows });
    });
  }
  function list(tab, what) {
    return fetch("/workbench/list?tab=" + tab + "&" + what)
      .then((answer) => answer.json().then((body) => { if (!answer.ok) throw new Error(body.error); return body; }));
  }

  function unitRows() {
    if (!at.units) return [];
    const { values, list: units, focus } = at.units, rows = [];
    for (let i = 0; i < values.size; i++) if (values.columns.shown[i]) rows.push(yanpan.units.row(i, values, units, focus));
    rows.sort((a, b) => (b.count ?? -1) - (a.count ?? -1) || (a.code < b.code ? -1 : 1));
    at.rows = rows;
    return rows;
  }
  function fillHead() {
    if (!at.units) return;
    const { values, focus } = at.units, { thousands, PARTIAL } = yanpan.units, n = thousands(at.rows.length);
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
    if (event.detail.focus.tab === "units") setTimeout(function () { table(unitRows()); fillHead(); }, 0);
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
