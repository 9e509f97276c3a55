/* The export menu: files of exactly what is selected, made by the API; and the address for a colleague. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const say = (text, values) => yanpan.say(text, values);
  const TABLES = ["csv", "xlsx"], PLACES = ["csv", "xlsx", "geojson", "gpkg"], PICTURES = ["png", "svg"];

  /** [title, layer, formats, own parameters] of what can be taken away now. */
  function choices() {
    const level = "level=" + (yanpan.workbench.level() || "grid"), focus = yanpan.workbench.focus();
    const drawn = focus.layers.map(([name]) => name).join(","), step = "step=" + focus.step;  // what cannot be drawn is named in the picture
    return [
      [say("各区域的数"), "counts", PLACES, level],
      [say("警情明细"), "incidents", PLACES, ""],
      [say("走势"), "trend", TABLES, step],
      [say("时段 × 星期"), "profile", TABLES, ""],
      [say("总览"), "summary", TABLES, ""],
      [say("热点"), "hotspots", PLACES, ""],
      [say("纠纷"), "disputes", TABLES, level],
      [say("视频覆盖"), "coverage", TABLES, ""],
      [say("地图"), "map", PICTURES, level + "&measure=" + focus.measure + "&layers=" + drawn],
      [say("走势图"), "trend", PICTURES, step],
      [say("类别图"), "categories", PICTURES, ""],
      [say("时段图"), "profile", PICTURES, ""],
      [say("排名图"), "ranking", PICTURES, ""],
    ];
  }
  function fill(menu) {
    menu.replaceChildren();
    if (!yanpan.workbench.focus()) return;
    for (const [title, layer, formats, own] of choices()) {
      const row = yanpan.units.line(menu, "div", "export-row", "");
      yanpan.units.line(row, "span", "", title);
      for (const format of formats) {
        const link = yanpan.units.line(row, "a", "", format.toUpperCase());
        link.href = "/api/v1/export?layer=" + layer + "&format=" + format + (own ? "&" + own : "") + "&" + yanpan.workbench.query();
        link.setAttribute("download", "");
        link.setAttribute("aria-label", title + " " + format.toUpperCase());
      }
    }
    yanpan.units.line(menu, "p", "caption", say("每个文件都写明筛选、数据截至和发布。"));
  }
  document.addEventListener("toggle", function (event) {
    if (event.target.id === "export-menu" && event.target.open) fill(document.getElementById("export-list"));
  }, true);
  document.addEventListener("click", function (event) {
    const target = event.target.closest ? event.target : null;
    for (const open of document.querySelectorAll("details.menu-of[open]")) if (!open.contains(target)) open.open = false;
    const copy = target && target.closest("#copy-link");
    if (!copy) return;
    const words = copy.textContent;
    const address = location.origin + location.pathname + "?" + yanpan.query().toString() + location.hash;
    navigator.clipboard.writeText(address).then(() => { copy.textContent = say("已复制"); }, () => { copy.textContent = say("请复制地址栏"); })
      .finally(() => setTimeout(() => { copy.textContent = words; }, 1600));
  });
  document.addEventListener("keydown", function (event) {
    const open = event.key === "Escape" && document.querySelector("details.menu-of[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
    event.stopPropagation();
  }, true);
  /* Narrow windows: the rail and the charts slide in. */
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-drawer]");
    if (button) document.body.classList.toggle("show-" + button.dataset.drawer);
    else if (event.target.closest && event.target.closest(".map-panel")) document.body.classList.remove("show-rail", "show-side");
  });
})();
