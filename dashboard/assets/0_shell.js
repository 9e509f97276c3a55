/* Every page: links that change the state without a reload, the theme switch, dragging over hours and weekdays. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});

  /* Parameters that only say how the page looks; links that change what is looked at leave them as they are. */
  const LOOKS = ["measure", "level", "layers", "view", "tab", "cover", "base"];

  /** The words of the page in the reader's language; the Chinese text is the key, {names} are filled in. */
  yanpan.say = function (text, values) {
    let words = (window.yanpanWords && window.yanpanWords[text]) || text;
    if (words !== text && words.includes("|")) words = words.split("|")[values && String(values.n) === "1" ? 0 : 1];  // one|many
    return words.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  };

  /** What an address of ours answers, as JSON; a refusal is an error with its one line. */
  yanpan.ask = function (address, options) {
    return fetch(address, options)
      .then((answer) => answer.json().then((body) => { if (!answer.ok) throw new Error(body.error); return body; }));
  };

  /** Show the state of an address ("?…"), as a new entry of the history; the map's view stays unless the area changes. */
  yanpan.visit = function (search, options) {
    const area = (query) => new URLSearchParams(query).get("area");
    const before = location.search;
    if (new URLSearchParams(search).toString() === new URLSearchParams(before).toString()) return;
    const view = area(search) === area(location.search) ? location.hash : "";
    const turn = options && options.replace ? "replaceState" : "pushState";
    history[turn]({}, "", location.pathname + search + view);
    if (yanpan.what(search) !== yanpan.what(before)) document.body.classList.add("busy");
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));  // what dcc.Link sends, and dcc.Location listens to
  };
  /** The part of an address that says what is looked at, without the looks. */
  yanpan.what = function (search) {
    const query = new URLSearchParams(search);
    for (const name of LOOKS) query.delete(name);
    return query.toString();
  };
  function withLooks(search) {
    const query = new URLSearchParams(search), now = new URLSearchParams(location.search);
    for (const name of LOOKS) {
      query.delete(name);
      if (now.has(name)) query.set(name, now.get(name));
    }
    return "?" + query.toString();
  }

  /** The parameters of the address, the window always written out: a link made today shows the same days next week. */
  yanpan.query = function () {
    const query = new URLSearchParams(location.search);
    const dates = document.getElementById("date-range");
    if (dates && dates.dataset.from && !query.has("from") && !query.has("to")) {
      const end = new Date(dates.dataset.last + "T00:00:00Z");
      end.setUTCDate(end.getUTCDate() + 1);
      query.set("from", dates.dataset.from);
      query.set("to", end.toISOString().slice(0, 10));
    }
    return query;
  };

  /** Change some parameters of the address; null removes one. */
  yanpan.go = function (changes, options) {
    const query = yanpan.query();
    for (const [name, value] of Object.entries(changes)) {
      query.delete(name);
      if (value !== null) query.set(name, value);
    }
    yanpan.visit("?" + query.toString(), options);
  };

  /** Make an element's content what a tree says ([tag, attributes, children], "" for a list, or text), changing what is
      there as little as possible: focus, scroll and running transitions stay. */
  const SVG = "http://www.w3.org/2000/svg";
  yanpan.render = function (target, tree) {
    const wanted = tree === null || tree === undefined ? [] : typeof tree === "string" ? [tree] : tree[0] === "" ? tree[2] : [tree];
    patchChildren(target, wanted);
  };
  function patchChildren(parent, wanted) {
    const flat = wanted.flatMap((part) => (Array.isArray(part) && part[0] === "" ? part[2] : [part]));
    flat.forEach(function (part, i) {
      const old = parent.childNodes[i];
      if (typeof part === "string") {
        if (old && old.nodeType === Node.TEXT_NODE) { if (old.data !== part) old.data = part; }
        else place(parent, document.createTextNode(part), old);
        return;
      }
      const [tag, attributes, children] = part;
      let element = old;
      if (!old || old.nodeType !== Node.ELEMENT_NODE || old.localName !== tag) {
        element = tag === "svg" || parent.namespaceURI === SVG ? document.createElementNS(SVG, tag) : document.createElement(tag);
        place(parent, element, old);
      }
      for (const { name } of [...element.attributes]) if (!(name in attributes)) element.removeAttribute(name);
      for (const name in attributes) if (element.getAttribute(name) !== attributes[name]) element.setAttribute(name, attributes[name]);
      if (!element.dataset.own) patchChildren(element, children);
    });
    while (parent.childNodes.length > flat.length) parent.lastChild.remove();
  }
  function place(parent, node, old) { if (old) parent.replaceChild(node, old); else parent.appendChild(node); }

  document.addEventListener("click", function (event) {
    const link = event.target.closest && event.target.closest("a.nav");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const href = link.getAttribute("href");
    yanpan.visit(link.closest(".view") ? href : withLooks(href));
    const menu = link.closest("details");
    if (menu) menu.open = false;
  });
  document.addEventListener("keydown", function (event) {
    const box = event.key === " " && event.target.closest && event.target.closest("a.nav[role=checkbox]");
    if (!box) return;
    event.preventDefault();
    box.click();
  });

  /* Theme: follows the system until chosen otherwise. */
  const THEMES = { auto: ["随系统", "◐"], light: ["明", "○"], dark: ["暗", "●"] };
  function theme() {
    const kept = localStorage.getItem("yanpan-theme");
    return kept in THEMES ? kept : "auto";
  }
  function applyTheme(name) {
    if ("fixedTheme" in document.documentElement.dataset) return;
    document.documentElement.dataset.theme = name;
    const button = document.getElementById("theme-switch");
    if (button) {
      button.querySelector(".theme-icon").textContent = THEMES[name][1];
      button.querySelector(".theme-word").textContent = yanpan.say(THEMES[name][0]);
    }
    document.dispatchEvent(new CustomEvent("yanpan:theme"));
  }
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("#theme-switch")) return;
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(theme()) + 1) % names.length];
    localStorage.setItem("yanpan-theme", next);
    applyTheme(next);
  });
  document.documentElement.lang = window.yanpanLanguage === "en" ? "en" : "zh-CN";
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("#language-switch")) return;
    const next = window.yanpanLanguage === "en" ? "zh" : "en";
    document.cookie = "yanpan-language=" + next + ";path=/;max-age=31536000;samesite=lax";
    location.reload();
  });
  applyTheme(theme());
  yanpan.whenPresent = function (id, then) {
    const found = document.getElementById(id);
    if (found) return then(found);
    const watch = new MutationObserver(function () {
      const late = document.getElementById(id);
      if (late) { watch.disconnect(); then(late); }
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
  };
  yanpan.whenPresent("theme-switch", function () { applyTheme(theme()); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { applyTheme(theme()); });

  /* Dragging over the hour bars or the week table chooses a span; the address then says it. */
  let brush = null;
  function cellAt(event) {
    const cell = event.target.closest && event.target.closest("[data-brush] [data-hour]");
    return cell && { hour: +cell.dataset.hour, day: +(cell.dataset.weekday || 0), box: cell.closest("[data-brush]") };
  }
  function span() {
    const order = (a, b) => [Math.min(a, b), Math.max(a, b)];
    return { hours: order(brush.from.hour, brush.to.hour), days: order(brush.from.day, brush.to.day) };
  }
  function showBrush() {
    const s = span();
    for (const cell of brush.from.box.querySelectorAll("[data-hour]")) {
      const hour = +cell.dataset.hour, day = +(cell.dataset.weekday || 0);
      cell.classList.toggle("brushed", hour >= s.hours[0] && hour <= s.hours[1] && day >= s.days[0] && day <= s.days[1]);
    }
  }
  document.addEventListener("pointerdown", function (event) {
    const cell = event.button === 0 && cellAt(event);
    if (!cell) return;
    event.preventDefault();
    brush = { from: cell, to: cell };
    showBrush();
  });
  document.addEventListener("pointerover", function (event) {
    const cell = brush && cellAt(event);
    if (!cell || cell.box !== brush.from.box) return;
    brush.to = cell;
    showBrush();
  });
  document.addEventListener("pointerup", function () {
    if (!brush) return;
    const s = span(), week = brush.from.box.dataset.brush === "week";
    for (const cell of brush.from.box.querySelectorAll(".brushed")) cell.classList.remove("brushed");
    brush = null;
    const changes = { hours: s.hours[0] === 0 && s.hours[1] === 23 ? null : s.hours.join("-") };
    if (week) {
      const days = [];
      for (let day = s.days[0]; day <= s.days[1]; day++) days.push(day);
      changes.weekdays = days.length === 7 ? null : days.join(",");
    }
    yanpan.go(changes);
  });
})();
