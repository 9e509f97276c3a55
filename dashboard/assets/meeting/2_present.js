/* Presenting: one section at a time over the whole screen, arrow keys, live maps; D records a decision, Escape leaves. */
(function () {
  "use strict";
  const yanpan = window.yanpan, meeting = window.yanpanMeeting, SIZES = [1.5, 1.4, 1.3, 1.2, 1.1, 1, 0.9, 0.8];
  if (!meeting.sections) return;
  const at = { on: false, slide: 0, piece: 0 };
  const stage = document.getElementById("presenter");
  const theme = () => (document.documentElement.dataset.theme === "dark" || (document.documentElement.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches) ? "dark" : "light");

  /** The pieces of a section: each block, the maps live. */
  function pieces(key) {
    const section = document.querySelector("#s-" + key + " section");
    return section ? [...section.children].filter((one) => one.matches("div") && one.querySelector("h3")) : [];
  }
  function live(show) {
    const frame = document.createElement("iframe");
    frame.src = "/screen?" + new URLSearchParams({ only: "map", rotate: 0, show: show, theme: theme(), period: meeting.period, ...(meeting.area ? { area: meeting.area } : {}) });
    frame.title = yanpan.say("地图");
    return frame;
  }
  function draw() {
    const key = meeting.order[at.slide], section = document.querySelector("#s-" + key + " section");
    stage.replaceChildren();
    const make = (tag, name, inside) => { const one = document.createElement(tag); one.className = name; if (inside !== undefined) one.textContent = inside; return one; };
    const head = make("header", "present-head");
    const [kind, ...rest] = meeting.header.split(" · ");
    head.append(make("strong", "", kind), make("span", "", rest.join(" · ")), make("span", "present-as-of", yanpan.say("数据截至 {at}", { at: meeting.asOf.replace("T", " ").slice(0, 16) })));
    const steps = make("nav", "present-steps");
    meeting.order.forEach(function (one, i) {
      const name = document.querySelector("#contents [data-key=" + one + "] a").textContent;
      const step = make("button", "present-step" + (i < at.slide ? " done" : i === at.slide ? " on" : ""), i + 1 + " " + name);
      step.dataset.slide = i;
      steps.append(step);
    });
    stage.append(head, steps);
    if (!section) { stage.append(make("p", "empty", yanpan.say("正在计算…"))); foot(); return; }
    const lead = section.querySelector(".lead"), more = section.querySelector("ul"), comment = document.querySelector("#s-" + key + " textarea");
    if (section.querySelector(".draft")) stage.append(make("span", "draft", section.querySelector(".draft").textContent));
    stage.append(make("h1", "present-finding " + (lead ? lead.className.replace("lead", "") : ""), lead ? lead.textContent : ""));
    if (more) stage.append(make("div", "present-more"));
    if (more) stage.querySelector(".present-more").append(more.cloneNode(true));
    if (comment && comment.value) stage.append(make("p", "present-comment", comment.value));
    const evidence = make("div", "present-evidence"), shown = pieces(key), wide = shown.slice(at.piece, at.piece + 2);
    for (const one of wide) {
      const card = make("section", "present-card"), picture = one.querySelector("img"), copy = one.cloneNode(true);
      if (picture && meeting.live) {
        copy.querySelector("img").replaceWith(live(new URL(picture.src).searchParams.get("name")));
      }
      card.classList.toggle("with-map", !!picture);
      card.append(...copy.childNodes);
      card.classList.toggle("broad", !!one.querySelector("table.narrow"));
      evidence.append(card);
    }
    evidence.dataset.count = wide.length;
    stage.append(evidence);
    foot(shown.length);
    fit(evidence);
  }
  /** The largest text at which nothing of the evidence is cut, then the charts at the size of their place. */
  function fit(evidence) {
    const over = (one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1;
    for (const size of SIZES) {
      evidence.style.setProperty("--t", size);
      if (![evidence, ...evidence.children].some(over)) break;
    }
    for (const drawing of evidence.querySelectorAll(".present-card svg")) stretch(drawing);
  }
  /** Spread a chart over its place, its text as large as that of the tables' heads. */
  function stretch(drawing) {
    const place = drawing.getBoundingClientRect(), [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
    const unit = Math.max(13, (16 * innerWidth) / 1920) / 12, by = { x: place.width / unit / width, y: place.height / unit / height };
    if (!place.height) return;
    drawing.setAttribute("viewBox", [0, 0, width * by.x, height * by.y].join(" "));
    const AXIS = { x: "x", x1: "x", x2: "x", cx: "x", width: "x", y: "y", y1: "y", y2: "y", cy: "y", height: "y" };
    for (const mark of drawing.children) {
      for (const [name, axis] of Object.entries(AXIS)) if (mark.hasAttribute(name)) mark.setAttribute(name, mark.getAttribute(name) * by[axis]);
      if (mark.hasAttribute("d")) mark.setAttribute("d", mark.getAttribute("d").replace(/([\d.]+) ([\d.]+)/g, (_, x, y) => x * by.x + " " + y * by.y));
    }
  }
  function foot(count) {
    const line = document.createElement("footer"), pages = count > 2 ? " · " + yanpan.say("依据 {a}/{b}", { a: Math.floor(at.piece / 2) + 1, b: Math.ceil(count / 2) }) : "";
    const left = document.createElement("span"), right = document.createElement("span");
    left.textContent = yanpan.say("发布 {id}", { id: meeting.release }) + pages;
    right.textContent = at.slide + 1 + " / " + meeting.order.length + "　" + yanpan.say("← → 翻页　空格 看依据　D 记议定事项　Esc 退出");
    line.className = "present-foot";
    line.append(left, right);
    stage.append(line);
  }
  function go(to) {
    at.slide = Math.max(0, Math.min(meeting.order.length - 1, to));
    at.piece = 0;
    draw();
  }
  function evidence() {
    const count = pieces(meeting.order[at.slide]).length;
    at.piece = at.piece + 2 < count ? at.piece + 2 : 0;
    draw();
  }
  function enter() {
    at.on = true;
    document.body.classList.add("presenting");
    if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen().catch(() => {});
    go(at.slide);
    stage.tabIndex = -1;
    stage.focus();
  }
  function leave() {
    at.on = false;
    document.body.classList.remove("presenting", "deciding");
    stage.replaceChildren();
    if (document.fullscreenElement) document.exitFullscreen();
  }
  const KEYS = { ArrowRight: () => go(at.slide + 1), PageDown: () => go(at.slide + 1), ArrowLeft: () => go(at.slide - 1), PageUp: () => go(at.slide - 1),
    Home: () => go(0), End: () => go(meeting.order.length - 1), " ": evidence };
  document.addEventListener("keydown", function (event) {
    if (!at.on) return;
    const writing = event.target.closest && event.target.closest("input, textarea, select");
    if (event.key === "Escape") {
      if (document.body.classList.contains("deciding")) document.body.classList.remove("deciding"); else leave();
    } else if (!writing && (event.key === "d" || event.key === "D")) {
      event.preventDefault();
      document.body.classList.toggle("deciding");
      const first = document.querySelector("#decide [name=matter]");
      if (document.body.classList.contains("deciding") && first) first.focus();
    } else if (!writing && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  document.addEventListener("click", function (event) {
    const step = event.target.closest("[data-slide]");
    if (step) go(Number(step.dataset.slide));
    if (event.target.closest("#present")) enter();
  });
  document.addEventListener("yanpan:section", function ({ detail }) { if (at.on && meeting.order[at.slide] === detail) draw(); });
  addEventListener("resize", function () { if (at.on) draw(); });
})();
