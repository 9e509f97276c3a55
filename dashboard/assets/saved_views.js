/* Saved views: names for addresses, kept in this browser. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const KEY = "yanpan-views", MOST = 50;
  const say = (text, values) => yanpan.say(text, values);

  function kept() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch (_) { return []; }
  }
  function keep(views) {
    localStorage.setItem(KEY, JSON.stringify(views.slice(0, MOST)));
    draw();
  }
  function draw() {
    const place = document.getElementById("saved-views");
    if (!place) return;
    place.replaceChildren();
    const views = kept();
    for (const view of views) {
      const row = yanpan.units.line(place, "div", "saved", "");
      const link = yanpan.units.line(row, "a", "nav", view.name);
      link.href = view.search;
      row.classList.add("view");  // the address whole, looks and all
      const gone = yanpan.units.line(row, "button", "", "×");
      gone.type = "button";
      gone.setAttribute("aria-label", say("删除视图 {name}", { name: view.name }));
      gone.addEventListener("click", () => keep(kept().filter((one) => one.name !== view.name)));
    }
    const form = document.createElement("form");
    const field = form.appendChild(document.createElement("input"));
    field.placeholder = say("给当前视图起名");
    field.maxLength = 40;
    field.setAttribute("aria-label", say("给当前视图起名"));
    const button = yanpan.units.line(form, "button", "button", say("存为视图"));
    button.type = "submit";
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      const name = field.value.trim();
      if (!name) { field.focus(); return; }
      keep([{ name: name, search: "?" + yanpan.query().toString() }, ...kept().filter((one) => one.name !== name)]);
    });
    place.append(form);
  }
  document.addEventListener("yanpan:drawn", function () {
    const place = document.getElementById("saved-views");
    if (place && !place.firstChild) draw();
  });
})();
