/* ?reading=6x4.8: which texts people 6 metres from a wall 4.8 metres wide cannot read. A character has to be 7 mm high for
   every metre: 17 design pixels on such a wall. */
(function () {
  "use strict";
  const yanpan = window.yanpan, MM_A_METRE = 7, HEIGHT = 1080;
  const asked = /^(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)$/.exec(new URLSearchParams(location.search).get("reading") || "");
  if (!asked) return;
  const [metres, width] = [Number(asked[1]), Number(asked[2])];

  function check() {
    const mm = width * 1000 / (HEIGHT * yanpan.wall.ratio), least = metres * MM_A_METRE / mm, found = [];
    for (const one of document.querySelectorAll(".unread")) one.classList.remove("unread");
    const walker = document.createTreeWalker(document.getElementById("stage"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const place = node.parentElement;
      if (!node.data.trim() || !place.getClientRects().length || place.closest("#reading")) continue;
      const size = parseFloat(getComputedStyle(place).fontSize) / yanpan.wall.scale;
      if (size < least - 0.01) { found.push(size); place.classList.add("unread"); }
    }
    const told = { d: metres, n: found.length, px: Math.min(...found, 999).toFixed(0), mm: (Math.min(...found, 999) * mm).toFixed(0), need: (metres * MM_A_METRE).toFixed(0) };
    document.getElementById("reading").textContent = found.length
      ? yanpan.say("{d} 米处读不清 {n} 处：最小 {px} 像素合 {mm} 毫米，要 {need} 毫米", told)
      : yanpan.say("{d} 米处都读得清（要 {need} 毫米）", told);
  }
  const note = document.getElementById("stage").appendChild(document.createElement("div"));
  note.id = "reading";
  setInterval(check, 2000);
})();
