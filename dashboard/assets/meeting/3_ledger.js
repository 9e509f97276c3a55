/* The ledger: a card or row opens its form; who saves second is told, and keeps what was typed. */
(function () {
  "use strict";
  const yanpan = window.yanpan, meeting = window.yanpanMeeting;
  if (!meeting.items) return;
  const $ = (id) => document.getElementById(id), { query, post, fault } = yanpan.meeting;
  const dialog = $("item-dialog"), form = $("item-form");
  const at = { id: null, version: 0 }, IMPORTED = "yanpan-imported";

  function open(id, given, point) {
    yanpan.meeting.point = point || null;
    const item = id === null ? given || {} : meeting.items[id];
    at.id = id;
    at.version = item.version || 0;
    form.reset();
    for (const control of form.elements) {
      if (!control.name) continue;
      const value = item[control.name];
      if (value !== null && value !== undefined && control.tagName === "SELECT" && ![...control.options].some((one) => one.value === String(value))) control.add(new Option(String(value), String(value)));
      control.value = value === null || value === undefined ? (id === null && control.tagName === "SELECT" ? control.options[control.selectedIndex < 0 ? 0 : control.selectedIndex].value : "") : value;
    }
    $("item-title").textContent = id === null ? yanpan.say("新增事项") : item.number;
    $("item-fault").textContent = "";
    yanpan.render($("item-history"), null);
    if (id !== null) yanpan.ask("/meeting/history" + query({ id: id })).then((told) => yanpan.render($("item-history"), told.history));
    dialog.showModal();
  }
  yanpan.meeting.openItem = open;
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    const told = {}, before = at.id === null ? {} : meeting.items[at.id];
    for (const [name, value] of new FormData(form)) {
      const old = before[name] === null || before[name] === undefined ? "" : String(before[name]);
      if (at.id === null ? value !== "" : value !== old) told[name] = value;
    }
    post("item", { id: at.id === null ? null : Number(at.id), version: at.version, values: { ...(yanpan.meeting.point || {}), ...told } }).then(() => location.reload(), function (error) {
      $("item-fault").textContent = "✕ " + error.message;  // what was typed stays
      if (at.id === null) return;
      // The latest version is shown; saving again writes only the fields that were changed here.
      yanpan.ask("/meeting/history" + query({ id: at.id })).then(function (found) { yanpan.render($("item-history"), found.history); at.version = found.version; });
    });
  });
  document.addEventListener("click", function (event) {
    const item = event.target.closest("[data-item]");
    if (event.target.closest("#item-new")) open(null);
    else if (event.target.closest("#item-cancel")) dialog.close();
    else if (item && !event.target.closest("dialog")) open(item.dataset.item);
  });
  document.addEventListener("keydown", function (event) {
    const item = event.key === "Enter" && event.target.matches && event.target.matches("[data-item]") && event.target;
    if (item) open(item.dataset.item);
  });
  $("import").addEventListener("change", async function (event) {
    const file = event.target.files[0];
    if (!file) return;
    try {
      const told = await yanpan.ask("/meeting/import", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
      let words = yanpan.say("已导入 {n} 项，{m} 项台账里已有。", { n: told.added, m: told.there });
      if (told.left_out.length) words += yanpan.say("未收的列：{names}", { names: told.left_out.join(yanpan.say("、")) });
      sessionStorage.setItem(IMPORTED, words);
      location.reload();
    } catch (error) { fault(error); }
    event.target.value = "";
  });
  const imported = sessionStorage.getItem(IMPORTED);
  if (imported) {
    sessionStorage.removeItem(IMPORTED);
    $("fault").textContent = "✓ " + imported;
    $("fault").classList.replace("bad", "good");
  }
  document.addEventListener("change", function (event) {
    const view = new URLSearchParams(location.search).get("view");
    if (event.target.id === "kind") location.search = query({ period: event.target.value, view: view });
    if (event.target.id === "area") location.search = "?" + new URLSearchParams({ period: meeting.period, view: view, ...(event.target.value ? { area: event.target.value } : {}) });
  });
  /* Drawing keeps what was typed: on the map view at once, from the others by way of it. */
  const KEPT = "yanpan-drawing";
  $("draw").addEventListener("click", function () {
    const kept = { id: at.id, values: Object.fromEntries(new FormData(form)) };
    dialog.close();
    if ($("city")) { at.kept = kept; document.dispatchEvent(new CustomEvent("yanpan:draw")); return; }
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
    location.search = query({ view: "map" });
  });
  yanpan.meeting.drawn = function (place) {
    const { id, values } = at.kept || { id: null, values: {} };
    at.kept = null;
    open(id, values, place && place.lon !== undefined ? place : null);
    for (const control of form.elements) if (control.name && control.name in values) control.value = values[control.name];
    if (place && place.polygon) form.elements.polygon.value = place.polygon;
  };
  const waiting = $("city") && sessionStorage.getItem(KEPT);
  if (waiting) {
    sessionStorage.removeItem(KEPT);
    at.kept = JSON.parse(waiting);
    document.addEventListener("yanpan:map", () => document.dispatchEvent(new CustomEvent("yanpan:draw")));
  }
})();
