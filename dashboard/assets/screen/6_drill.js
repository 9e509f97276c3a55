/* Touching a hotspot, a row or the map opens its area; a minute later the wall is back by itself. */
(function () {
  "use strict";
  const yanpan = window.yanpan, screen = yanpan.screen;
  const BACK_MS = 60000;
  const at = { timer: 0, asked: 0, open: false };

  function close() {
    clearTimeout(at.timer);
    at.asked++;
    if (!at.open) return;
    at.open = false;
    yanpan.render(document.getElementById("drill"), null);
    document.documentElement.removeAttribute("data-drill");
    yanpan.city.picked(null);
    screen.freeze(false, "drill");
  }
  async function open(code) {
    const number = ++at.asked;
    let told;
    try { told = await yanpan.askScreen("/screen/drill", { code: code }); } catch { return; }  // the line to the server says so itself
    if (number !== at.asked || told.release !== screen.release) return;
    at.open = true;
    screen.freeze(true, "drill");
    yanpan.render(document.getElementById("drill"), told.panel);
    document.documentElement.dataset.drill = code;
    yanpan.city.picked(told.outline);
    yanpan.fitTexts();
    clearTimeout(at.timer);
    at.timer = setTimeout(close, BACK_MS);
  }
  document.addEventListener("yanpan:touch", ({ detail }) => open(detail.code));
  document.addEventListener("yanpan:exchanged", close);
  document.addEventListener("click", function (event) {
    if (event.target.closest(".drill-back")) { close(); return; }
    const row = event.target.closest("[data-area]");
    if (row && row.dataset.area) open(row.dataset.area);
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape" || event.key === "Backspace") close(); });
})();
