/* The cameras' card asks for its numbers when it comes into sight: the first answer takes seconds. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const CARD = "workbench-cameras", ABOVE = "workbench-disputes", SEEING = "workbench-seeing";
  const NEAR_PX = 120;
  let asked = null, area = null;  // "?area=…#release": cameras know no window

  function inSight() {
    const card = document.getElementById(CARD), above = document.getElementById(ABOVE);
    // Until what stands above is filled, the card only seems to be in sight.
    return card && above && above.firstChild && card.getBoundingClientRect().top < window.innerHeight + NEAR_PX;
  }
  function ask() {
    if (area === null || asked === area || !inSight()) return;
    asked = area;
    const card = document.getElementById(CARD);
    if (!card.firstChild) yanpan.render(card, ["section", { class: "card" }, [["p", { class: "empty" }, [yanpan.say("正在计算视频覆盖…")]]]]);
    window.dash_clientside.set_props(SEEING, { data: { search: area.split("#")[0] } });
  }
  document.addEventListener("yanpan:focus", function ({ detail }) {
    area = "?" + (detail.area ? "area=" + encodeURIComponent(detail.area) : "") + "#" + detail.release;
    ask();
  });
  yanpan.whenPresent(CARD, function (card) {
    card.closest(".side").addEventListener("scroll", ask, { passive: true });
    window.addEventListener("resize", ask);
    new IntersectionObserver(ask).observe(card);
  });
})();
