/* No text is cut off: what is too long for its place gives up what stands beside it, then size down to the floor, then
   its end, with a sign that something is missing; the whole stands in its title. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const FLOOR = 14;
  const PLACES = ".card-number, .kpi .card-line, .against, .rank-row .name, .rules .name, .stage-row .name, .stage-row .number, .rank-row .number, .alert .words, " +
    ".panel-head > .caption, .theme-captions > *, .hotspot-list .name, .hotspot-list li > div > div, .reports > div > div, #sources .name, #window > div, .map-foot > *, " +
    ".title h1, .week-key, .drill-line .drill-body, .drill .caption, .drill-head h2, .drill-number > div, .head-age";
  const EXTRAS = [".past", ".parent", ".p", ".percent"];  // given up in this order
  const over = (place) => place.scrollWidth > place.clientWidth + 1;
  const textOf = (place) => place.querySelector(".count") || (place.children.length ? place.firstElementChild : place);

  function fit(place) {
    const text = textOf(place), floor = FLOOR * yanpan.wall.scale;
    text.style.fontSize = "";
    for (const one of EXTRAS) for (const extra of place.querySelectorAll(one)) extra.hidden = false;
    if (text.dataset.said) {
      if (text.textContent === text.dataset.cut) text.textContent = text.dataset.said;  // else it says something new by now
      else place.removeAttribute("title");
      delete text.dataset.said;
      delete text.dataset.cut;
    }
    if (!place.clientWidth) return;
    for (const one of EXTRAS) {
      if (!over(place)) return;
      for (const extra of place.querySelectorAll(one)) if (extra !== text) extra.hidden = true;
    }
    for (let size = parseFloat(getComputedStyle(text).fontSize); over(place) && size > floor; ) {
      size = Math.max(floor, size * 0.93);
      text.style.fontSize = size + "px";
    }
    if (!over(place) || text.children.length || /^[\d,+−.%]+$/.test(text.textContent)) return;
    const whole = (text.dataset.said = text.textContent);
    place.title = place.title || whole;
    for (let n = whole.length - 1; n > 1 && over(place); n--) text.textContent = whole.slice(0, n) + "…";
    text.dataset.cut = text.textContent;
  }
  yanpan.fitTexts = function (within = document) { for (const place of within.querySelectorAll(PLACES)) fit(place); };
  document.addEventListener("yanpan:arranged", () => requestAnimationFrame(() => yanpan.fitTexts()));
})();
