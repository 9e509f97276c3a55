/* Playback: the window steps through the past by itself; every step is an address like any other. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const STEPS = 12, PAUSE_MS = 900;
  const at = { timer: null, windows: [], place: 0 };

  function draw() {
    const box = document.getElementById("player");
    if (!box) return;
    box.hidden = !at.windows.length;
    if (!at.windows.length) return;
    const [from, to] = at.windows[at.place];
    box.querySelector(".when").textContent = from + " — " + lastDay(to);
    let slider = box.querySelector("input");
    if (!slider) {
      slider = document.createElement("input");
      slider.type = "range";
      slider.min = 0;
      slider.setAttribute("aria-label", yanpan.say("时间"));
      box.querySelector(".slide").append(slider);
    }
    slider.max = at.windows.length - 1;
    slider.value = at.place;
    const button = box.querySelector(".play");
    button.textContent = at.timer ? "❚❚" : "▶";
    button.setAttribute("aria-label", yanpan.say(at.timer ? "暂停" : "播放"));
  }
  function lastDay(end) {
    const day = new Date(end + "T00:00:00Z");
    day.setUTCDate(day.getUTCDate() - 1);
    return day.toISOString().slice(0, 10);
  }
  function show(place) {
    at.place = place;
    const [from, to] = at.windows[place];
    yanpan.go({ from: from, to: to }, { replace: true });
    draw();
  }
  function next() {
    if (document.body.classList.contains("busy")) { at.timer = setTimeout(next, 120); return; }
    if (at.place >= at.windows.length - 1) return stop();
    show(at.place + 1);
    at.timer = setTimeout(next, PAUSE_MS);
  }
  function stop() { clearTimeout(at.timer); at.timer = null; draw(); }
  function close() { stop(); at.windows = []; draw(); }

  yanpan.player = {
    /** Open on the windows that lead up to the current one; the server lists them: [[from, to], …] oldest first. */
    open: function () {
      if (at.windows.length) return close();
      yanpan.ask("/workbench/steps?count=" + STEPS + "&" + yanpan.workbench.query()).then(function (steps) {
        at.windows = steps.windows;
        at.place = at.windows.length - 1;
        draw();
      }).catch(close);
    },
  };
  document.addEventListener("click", function (event) {
    const target = event.target.closest && event.target.closest("#player .play, #player .close, #player-open");
    if (!target) return;
    if (target.id === "player-open") yanpan.player.open();
    else if (target.classList.contains("close")) close();
    else if (at.timer) stop();
    else { if (at.place >= at.windows.length - 1) show(0); at.timer = setTimeout(next, PAUSE_MS); draw(); }
  });
  document.addEventListener("input", function (event) {
    if (!event.target.closest || !event.target.closest("#player") || event.target.type !== "range") return;
    const place = +event.target.value;  // stopping draws the slider again
    stop();
    show(place);
  });
})();
