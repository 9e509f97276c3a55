/* Locate by code or name: a combobox in the element "map-find"; what is chosen goes to yanpan.find.onChoose(row). */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const ID = "map-find", WAIT_MS = 150, ROWS = 10, NEAREST = 2;
  const KINDS = { camera: "摄像机", key_place: "重点场所", grid: "网格" };
  const LEVELS = { province: "省", city: "市", district: "区县", street: "街道", community: "社区" };
  const say = (text, values) => yanpan.say(text, values);

  yanpan.find = Object.assign({ onChoose: function () {} }, yanpan.find);

  function build(holder) {
    if (holder.firstChild) return;
    const input = element(holder, "input", "find-input"), list = element(holder, "ul", "find-list floating-card");
    const note = element(holder, "div", "find-note floating-card");
    const attributes = {
      type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: "60", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": ID + "-list", "aria-label": say("按编码或名称定位"), placeholder: say("编码或名称"),
    };
    for (const name in attributes) input.setAttribute(name, attributes[name]);
    list.id = ID + "-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", say("定位结果"));
    note.setAttribute("role", "status");
    list.hidden = note.hidden = true;
    let rows = [], at = -1, timer = null, asking = null;

    function close() {
      list.hidden = note.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function forget() {
      clearTimeout(timer);
      if (asking) asking.abort();
      asking = null;
      rows = [];
      list.replaceChildren();
      close();
    }
    function tell(text) {
      close();
      note.textContent = text;
      note.hidden = false;
    }
    function ask() {
      const text = input.value.trim();
      if (!text) return;
      const mine = asking = new AbortController();
      fetch("/api/v1/find?q=" + encodeURIComponent(text) + "&limit=" + ROWS, { signal: mine.signal })
        .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
        .then((found) => { if (asking === mine) show(found.rows); })
        .catch((fault) => { if (fault.name !== "AbortError" && asking === mine) tell(say("定位没有成功，请稍后再试")); });
    }
    function show(found) {
      rows = found;
      list.replaceChildren();
      if (!rows.length) return tell(say("没有这样的编码或名称"));
      rows.forEach(function (row, i) {
        const item = element(list, "li", "find-row");
        item.id = ID + "-" + i;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        element(item, "strong", "", row.name || row.code);
        element(item, "span", "tag", say(KINDS[row.kind] || LEVELS[row.level]));
        const above = row.parent.split("/");
        item.title = above.join(" / ");
        element(item, "div", "caption", [row.name ? row.code : "", above.slice(-NEAREST).join(" / ")].filter(Boolean).join(" · "));
        item.addEventListener("pointerdown", (event) => event.preventDefault());  // the field keeps the focus
        item.addEventListener("click", () => choose(i));
      });
      note.hidden = true;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(0);
    }
    function mark(i) {
      at = (i + rows.length) % rows.length;
      [...list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === at)));
      input.setAttribute("aria-activedescendant", ID + "-" + at);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
    function choose(i) {
      const row = rows[i];
      input.value = row.name || row.code;
      forget();
      yanpan.find.onChoose(row);
    }

    input.addEventListener("input", function (event) {
      forget();
      if (!event.isComposing) timer = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("compositionend", function () {  // a word is chosen in the input method
      clearTimeout(timer);
      timer = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("keydown", function (event) {
      if (event.isComposing) return;
      const open = !list.hidden;
      if (event.key === "Escape") {
        event.stopPropagation();
        if (open || !note.hidden) close();
        else { input.value = ""; forget(); }
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (open) mark(at + (event.key === "ArrowDown" ? 1 : -1));
        else if (rows.length) show(rows);
        else ask();
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (open) choose(at);
        else { forget(); ask(); }
      }
    });
    input.addEventListener("focusout", close);
  }
  function element(parent, tag, className, text) {
    const part = parent.appendChild(document.createElement(tag));
    part.className = className;
    if (text) part.textContent = text;
    return part;
  }

  yanpan.whenPresent(ID, build);
})();
