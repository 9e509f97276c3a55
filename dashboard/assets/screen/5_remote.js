/* Keys of a remote control, and what a wall needs of its browser: the screen kept on, a fresh start every night. */
(function () {
  "use strict";
  const yanpan = window.yanpan, screen = yanpan.screen;
  const RELOAD_HOUR = 4;
  const KEYS = {
    ArrowRight: () => screen.step(1), ArrowLeft: () => screen.step(-1), PageDown: () => screen.step(1), PageUp: () => screen.step(-1),
    " ": () => screen.turnFreeze(), Enter: () => screen.turnFreeze(),
    f: () => { if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen().catch(() => {}); },
  };
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  /* A touch holds the picture for a minute. */
  let held = 0;
  document.addEventListener("pointerdown", function (event) {
    if (event.target.closest(".theme-tab, #drill")) return;
    clearTimeout(held);
    screen.freeze(true, "touch");
    held = setTimeout(() => screen.freeze(false, "touch"), 60000);
  });

  async function stayAwake() {
    if (!navigator.wakeLock || document.visibilityState !== "visible") return;
    try { await navigator.wakeLock.request("screen"); } catch { /* the browser may refuse; the wall's own settings then decide */ }
  }
  document.addEventListener("visibilitychange", stayAwake);
  stayAwake();

  function nightly() {
    const now = new Date(), then = new Date(now);
    then.setHours(RELOAD_HOUR, Math.floor(Math.random() * 20), 0, 0);
    if (then <= now || now.getHours() === RELOAD_HOUR) then.setDate(then.getDate() + 1);  // not twice in one night
    setTimeout(function () { if (document.documentElement.hasAttribute("data-offline")) nightly(); else location.reload(); }, then - now);
  }
  nightly();
  /* ?dim=22-6: darker from 22 to 6 o'clock. */
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(new URLSearchParams(location.search).get("dim") || window.yanpanScreen.settings.dim || "");
  function dim() {
    if (!hours) return;
    const now = new Date().getHours(), [from, until] = [Number(hours[1]), Number(hours[2])];
    document.documentElement.toggleAttribute("data-dim", from < until ? now >= from && now < until : now >= from || now < until);
  }
  dim();
  setInterval(dim, 60000);
})();
