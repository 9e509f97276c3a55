/* The cameras' card asks for its numbers when it comes into sight. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const CARD = "workbench-cameras", SEEING = "workbench-seeing";
  let visible = false, asked = null, area = null;

  function ask() {
    if (!visible || area === null || asked === area) return;
    asked = area;
    const card = document.getElementById(CARD);
    if (!card.firstChild) yanpan.render(card, ["section", { class: "card" }, [["p", { class: "empty" }, [yanpan.say("正在计算视频覆盖…")]]]]);
    window.dash_clientside.set_props(SEEING, { data: { search: area.split("#")[0] } });
  }
  document.addEventListener("yanpan:focus", function ({ detail }) {
    area = "?" + (detail.area ? "area=" + encodeURIComponent(detail.area) : "") + "#" + detail.release;  // cameras know no window
    ask();
  });
  yanpan.whenPresent(CARD, function (card) {
    card.style.minHeight = "40px";
    new IntersectionObserver(function (entries) {
      visible = entries.some((entry) => entry.isIntersecting);
      ask();
    }, { rootMargin: "120px" }).observe(card);
  });
})();
