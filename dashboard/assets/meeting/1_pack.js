/* The pack as a page: the sections follow the first one, comments and order are kept, decisions are recorded. */
(function () {
  "use strict";
  const yanpan = window.yanpan, meeting = window.yanpanMeeting;
  const $ = (id) => document.getElementById(id);
  const query = (more) => "?" + new URLSearchParams({ period: meeting.period, ...(meeting.area ? { area: meeting.area } : {}), ...more });
  const SAVE_MS = 800;

  function fault(error) { $("fault").textContent = error ? "✕ " + error.message : ""; }
  const post = (path, told) => yanpan.ask("/meeting/" + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ period: meeting.period, area: meeting.area, ...told }) });
  /** One write at a time, so that the version is always the last one. */
  let line = Promise.resolve();
  function write(told) {
    line = line.then(() => post("write", { version: meeting.version, ...told })).then(function (answer) { meeting.version = answer.version; fault(null); return true; },
      function (error) { fault(error); return refreshSide().then(() => false); });  // what stands there now; it can be done again
    return line;
  }
  yanpan.meeting = { query, post, fault, write };
  if (!meeting.sections) return;  // the ledger

  const numbered = () => meeting.order.map((key, i) => [key, i + 1]);
  async function fill(key, number) {
    const place = $("s-" + key);
    if (!place) return;
    try {
      const told = await yanpan.ask("/meeting/section" + query({ key: key, number: number }));
      if (told.release !== meeting.release && !meeting.frozen) { location.reload(); return; }
      const old = place.querySelector("textarea"), typed = old && old.value !== (meeting.comments[key] || "") ? old.value : null;
      yanpan.render(place, told.section);
      yanpan.render($("warnings"), told.warnings);
      place.dataset.ready = "";
      for (const box of place.querySelectorAll("textarea")) { box.value = typed === null ? box.textContent : typed; grow(box); }
      document.dispatchEvent(new CustomEvent("yanpan:section", { detail: key }));
    } catch (error) {
      yanpan.render(place, ["p", { class: "empty bad" }, [error.message]]);
    }
  }
  async function fillAll() {
    for (const [key, number] of numbered()) await fill(key, number);
    document.documentElement.dataset.whole = "";
  }
  function grow(box) { box.style.height = "auto"; box.style.height = box.scrollHeight + 2 + "px"; }

  /* Comments are kept a moment after the last letter. */
  const waiting = {};
  document.addEventListener("input", function (event) {
    const box = event.target.closest("[data-comment]");
    if (!box) return;
    grow(box);
    clearTimeout(waiting[box.dataset.comment]);
    waiting[box.dataset.comment] = setTimeout(() => keep(box.dataset.comment, box.value), SAVE_MS);
  });

  function keep(key, text) {
    const before = meeting.comments[key] || "";
    if (text === before) return;
    line = line.then(() => post("comment", { section: key, text: text, before: before })).then(function (answer) {
      meeting.comments[key] = text;
      if (answer.version === meeting.version + 1) meeting.version = answer.version;  // else somebody changed something else: told at the next write
      fault(null);
    }, fault);
  }

  /* Order and hiding. */
  function arrange(order) {
    meeting.order = order;
    const place = $("sections"), list = $("contents");
    for (const key of meeting.sections) {
      const there = $("s-" + key), shown = order.includes(key);
      if (!shown && there) there.remove();
      if (shown && !there) {
        const made = document.createElement("div");
        made.id = "s-" + key;
        made.className = "section-of";
        made.dataset.key = key;
        place.append(made);
      }
    }
    for (const key of order) place.append($("s-" + key));
    for (const key of [...order, ...meeting.sections.filter((one) => !order.includes(one))]) list.append(list.querySelector("[data-key=" + key + "]"));
    write({ order: order }).then((kept) => { if (kept) fillAll(); else location.reload(); });
  }
  document.addEventListener("click", function (event) {
    const move = event.target.closest(".move");
    if (!move) return;
    const key = move.closest("li").dataset.key, order = [...meeting.order], at = order.indexOf(key), to = at + Number(move.dataset.move);
    if (at < 0 || to < 0 || to >= order.length) return;
    [order[at], order[to]] = [order[to], order[at]];
    arrange(order);
  });
  $("contents").addEventListener("change", function (event) {
    const key = event.target.closest("li").dataset.key;
    arrange(event.target.checked ? [...meeting.order, key] : meeting.order.filter((one) => one !== key));
  });

  /* The side: decisions, sign-in, sign-off. */
  async function refreshSide() {
    const told = await yanpan.ask("/meeting/side" + query());
    yanpan.render($("side"), told.side);
    meeting.version = told.version;
    meeting.units = told.units;
    for (const key of ["decisions", "last"]) if (meeting.order.includes(key)) fill(key, meeting.order.indexOf(key) + 1);
  }
  const values = (form) => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  yanpan.meeting.values = values;
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (form.id === "decide") {
      event.preventDefault();
      post("item", { meeting: true, values: { kind: "议定事项", ...values(form) } })
        .then(function (made) { form.reset(); return refreshSide().then(() => { $("decide-note").textContent = yanpan.say("已记下 {n}", { n: made.number }); }); })
        .catch(function (error) { $("decide-note").textContent = "✕ " + error.message; });
    } else if (form.id === "sign-in") {
      event.preventDefault();
      const unit = new FormData(form).get("unit").trim();
      if (!unit || meeting.units.includes(unit)) return;
      meeting.units = [...meeting.units, unit];
      form.reset();
      write({ units: meeting.units }).then(refreshSide);
    } else if (form.id === "sign") {
      event.preventDefault();
      post("sign", { unit: new FormData(form).get("unit") }).then(() => location.reload(), fault);
    }
  });
  document.addEventListener("click", function (event) {
    const cross = event.target.closest("[data-unit]"), target = event.target.closest("button, a");
    if (cross) {
      meeting.units = meeting.units.filter((one) => one !== cross.dataset.unit);
      write({ units: meeting.units }).then(refreshSide);
    } else if (target && target.id === "unsign") {
      post("sign", { unit: yanpan.say("撤回"), signed: false }).then(() => location.reload(), fault);
    } else if (target && target.id === "freeze") {
      write({ frozen: !meeting.frozen }).then(() => { if (!$("fault").textContent) location.reload(); });
    } else if (target && target.id === "copy-link") {
      const link = location.origin + "/meeting" + query();
      (navigator.clipboard ? navigator.clipboard.writeText(link) : Promise.reject()).then(function () { target.textContent = yanpan.say("已复制"); }, () => prompt(yanpan.say("复制链接"), link));
    } else if (target && target.classList.contains("file")) {
      event.preventDefault();
      download(target);
    }
  });
  /* A file takes seconds: it is written, read back and checked first. */
  async function download(link) {
    const menu = link.closest("details"), summary = menu.querySelector("summary"), words = summary.textContent;
    menu.open = false;
    summary.textContent = yanpan.say("正在生成并自检…");
    try {
      const answer = await fetch(link.getAttribute("href"));
      if (!answer.ok) throw new Error((await answer.json()).error);
      const name = decodeURIComponent((answer.headers.get("content-disposition") || "").split("filename*=UTF-8''")[1] || "pack");
      const held = document.createElement("a");
      held.href = URL.createObjectURL(await answer.blob());
      held.download = name;
      held.click();
      setTimeout(() => URL.revokeObjectURL(held.href), 60000);
      fault(null);
    } catch (error) { fault(error); }
    summary.textContent = words;
  }
  document.addEventListener("change", function (event) {
    if (event.target.id === "kind") location.search = query({ period: event.target.value });
    if (event.target.id === "area") location.search = "?" + new URLSearchParams({ period: meeting.period, ...(event.target.value ? { area: event.target.value } : {}) });
  });
  for (const box of document.querySelectorAll("textarea[data-comment]")) grow(box);
  fillAll();
})();
