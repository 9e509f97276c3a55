/* No text is cut off: what is too long for its place gives up what stands beside it, then size down to the floor, then
   its end, with a sign that something is missing; the whole stands in its title. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const FLOOR = 14, PLACES = ".drill-line .drill-body, .drill .caption, .rank-row .name, .rules .name, .stage-row .name, .alert .words, .panel-head > .caption, .theme-captions > *, " +
    ".hotspot-list .name, .kpi .card-line, .reports > div, #sources .name, #window > div, .map-foot > *, .title h1, .week-key, .card-number";
  const over = (place) => place.scrollWidth > place.clientWidth + 1;

  function fit(place) {
    place.style.fontSize = "";
    const extra = place.querySelector(".parent, .past");
    if (extra) extra.hidden = false;
    if (place.dataset.said) { place.textContent = place.dataset.said; delete place.dataset.said; }
    if (!place.clientWidth || !over(place)) return;
    if (extra) extra.hidden = true;
    const floor = FLOOR * yanpan.wall.scale;
    for (let size = parseFloat(getComputedStyle(place).fontSize); over(place) && size > floor; ) {
      size = Math.max(floor, size * 0.93);
      place.style.fontSize = size + "px";
    }
    if (!over(place) || place.children.length) return;
    const whole = (place.dataset.said = place.textContent);
    place.title = place.title || whole;
    for (let n = whole.length - 1; n > 1 && over(place); n--) place.textContent = whole.slice(0, n) + "…";
  }
  yanpan.fitTexts = function () { for (const place of document.querySelectorAll(PLACES)) fit(place); };
  document.addEventListener("yanpan:arranged", () => requestAnimationFrame(yanpan.fitTexts));
})();
