/* The layer panel, the keys of the overlays in the legend, and the method card. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const say = (text, values) => yanpan.say(text, values);
  const ORDER = ["hotspots", "incidents", "cameras", "key_places", "repeat_places", "rules", "blind", "near_repeat", "labels", "kde", "coverage"];
  const BASE = ["road", "building", "water"];
  const FULL = 100;
  let layers = [], focus = null;

  const put = (parent, tag, className, text) => yanpan.units.line(parent, tag, className, text === undefined ? "" : text);
  function save(next) { yanpan.go({ layers: next.map(([name, o]) => (o === FULL ? name : name + ":" + o)).join(",") }); }
  /* Shown ones on top in their order, then the others. */
  function listed() {
    const shown = layers.map(([name]) => name).filter((name) => ORDER.includes(name)).reverse();
    return [...shown, ...ORDER.filter((name) => !shown.includes(name))];
  }
  function toggle(name) {
    const next = layers.filter(([one]) => one !== name);
    if (next.length === layers.length) {
      if (BASE.includes(name)) next.unshift([name, FULL]);
      else {
        // A new layer stands where the order of the panel puts it, not over what is finer.
        const rank = ORDER.indexOf(name), at = next.findIndex(([one]) => ORDER.includes(one) && ORDER.indexOf(one) < rank);
        next.splice(at < 0 ? next.length : at, 0, [name, FULL]);
      }
    }
    save(next);
  }
  function move(name, by) {
    const movable = layers.filter(([one]) => ORDER.includes(one)), rest = layers.filter(([one]) => !ORDER.includes(one));
    const at = movable.findIndex(([one]) => one === name), to = at + by;
    if (to < 0 || to >= movable.length) return;
    [movable[at], movable[to]] = [movable[to], movable[at]];
    save([...rest, ...movable]);
  }

  function swatch(name) {
    const key = document.createElement("span");
    key.className = "layer-key key-" + name;
    key.setAttribute("aria-hidden", "true");
    return key;
  }
  function row(name) {
    const on = layers.find(([one]) => one === name), LAYERS = yanpan.overlays.LAYERS;
    const item = document.createElement("li");
    item.dataset.layer = name;
    const label = put(item, "label", "layer-name");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = Boolean(on);
    box.addEventListener("change", () => toggle(name));
    label.append(box, say(LAYERS[name].title));
    item.append(swatch(name));
    if (LAYERS[name].method) {
      const card = put(item, "button", "info", "ⓘ");
      card.type = "button";
      card.title = say("方法卡");
      card.setAttribute("aria-label", say(LAYERS[name].title) + " " + say("方法卡"));
      card.addEventListener("click", () => yanpan.methodCard(name));
    }
    if (on && !BASE.includes(name) && name !== "labels") {
      const tools = put(item, "div", "layer-tools");
      for (const [text, by, title] of [["↑", 1, "上移"], ["↓", -1, "下移"]]) {
        const button = put(tools, "button", "", text);
        button.type = "button";
        button.title = say(title);
        button.setAttribute("aria-label", say(LAYERS[name].title) + " " + say(title));
        button.addEventListener("click", () => move(name, by));
      }
      const range = document.createElement("input");
      range.type = "range";
      range.min = 10; range.max = FULL; range.step = 10; range.value = on[1];
      range.setAttribute("aria-label", say(LAYERS[name].title) + " " + say("不透明度"));
      range.addEventListener("input", () => yanpan.workbench.fade(name, +range.value));
      range.addEventListener("change", () => save(layers.map(([one, o]) => (one === name ? [one, +range.value] : [one, o]))));
      tools.append(range);
      if (name === "coverage") covers(item);
      put(item, "div", "layer-said caption");
    }
    return item;
  }
  /* What of each camera is drawn: the best there is of it, or one kind of shape alone. */
  function covers(item) {
    if (!focus || focus.cover.choices.length < 3) return;
    choice(item, say("可见范围"), focus.cover.choices, focus.cover.chosen, (name) => yanpan.go({ cover: name === focus.cover.choices[0][0] ? null : name }));
  }
  function coverTitle() {
    const { choices, chosen } = focus.cover;
    return say("视频覆盖") + (chosen === choices[0][0] ? "" : " · " + choices.find(([one]) => one === chosen)[1]);
  }
  function choice(parent, title, choices, chosen, then) {
    const label = put(parent, "label", "layer-choice"), select = document.createElement("select");
    label.append(title, select);
    for (const [value, name] of choices) select.add(new Option(name, value));
    select.value = chosen;
    select.addEventListener("change", () => then(select.value));
  }
  function build(panel) {
    const held = document.activeElement && panel.contains(document.activeElement) && document.activeElement.closest("li");
    const kept = held && [held.dataset.layer, document.activeElement.tagName, document.activeElement.type];
    panel.replaceChildren();
    const list = put(panel, "ul", "layer-rows");
    for (const name of listed()) list.append(row(name));
    put(panel, "div", "caption layer-group", say("底图"));
    const base = put(panel, "ul", "layer-rows");
    for (const name of BASE) base.append(row(name));
    basemaps(panel);
    if (kept) {
      const again = [...panel.querySelectorAll("li[data-layer='" + kept[0] + "'] " + kept[1])].find((e) => e.type === kept[2]);
      if (again) again.focus();
    }
    sayStates();
  }
  function basemaps(panel) {
    const choices = window.yanpanBasemaps || [];
    if (!choices.length) return;
    const named = [["none", say("无（只画自有图层）")], ...choices.map((one) => [one.id, one.name])];
    choice(panel, say("在线或本地底图"), named, focus && focus.base ? focus.base.id : "none", (id) => yanpan.go({ base: id === "none" ? null : id }));
  }
  /* What each shown layer draws and leaves out, or why it draws nothing. */
  function sayStates() {
    const { busy, told, LAYERS } = yanpan.overlays;
    for (const item of document.querySelectorAll(".layer-rows li")) {
      const name = item.dataset.layer, place = item.querySelector(".layer-said");
      item.classList.toggle("busy", busy.has(name));
      if (!place) continue;
      const state = told.get(name) || {};
      place.classList.toggle("bad", Boolean(state.fault));
      place.textContent = busy.has(name) ? say(LAYERS[name].slow ? "正在计算…" : "正在读取…") : !told.has(name) && name === "incidents" ? say("放大后显示") : state.fault || state.note || drawn(name, state.meta);
    }
    const waiting = [...busy.keys()].filter((name) => LAYERS[name].slow);
    const line = document.getElementById("map-progress");
    if (line) {
      line.hidden = !busy.size;
      line.dataset.text = waiting.length ? say("正在计算 {names}", { names: waiting.map((name) => say(LAYERS[name].title)).join(" · ") }) : "";
    }
    keys();
  }
  function drawn(name, meta) {
    if (!meta) return "";
    const n = yanpan.units.thousands;
    if (meta.cut === "limit") return say("显示 {shown} / 共 {all}", { shown: n(meta.returned), all: n(meta.matched) });
    if (meta.groups) return say("{n} 片显著热点", { n: n(meta.groups.length) });
    if (meta.matched !== undefined && yanpan.overlays.LAYERS[name].moves) {
      let text = say("视野内 {n}", { n: n(meta.matched) });
      if (meta.unplaced) text += " · " + say("无坐标 {n} 未上图", { n: n(meta.unplaced) });
      return text;
    }
    return meta.parameters && meta.parameters.n !== undefined ? say("样本 {n} 起", { n: n(meta.parameters.n) }) : "";
  }

  /* Keys in the legend: only of layers that are shown and have classes of their own. */
  function keys() {
    const place = document.getElementById("overlay-keys");
    if (!place) return;
    place.replaceChildren();
    const on = new Set(layers.map(([name]) => name)), told = yanpan.overlays.told;
    if (on.has("kde") && told.get("kde") && told.get("kde").meta) density(place, told.get("kde").meta);
    if (on.has("coverage")) words(place, coverTitle(), [["good-1", say("1 台可见")], ["good-2", say("2 台以上")], ["bad-1", say("仅离线设备")], ["none-1", say("状态不明")]]);
    if (on.has("cameras")) words(place, say("摄像机"), [["mark-on", say("在线")], ["mark-off", say("离线")]], say("● 天网 ■ 雪亮 ▲ 地网 ◆ 社会"));
    if (on.has("blind")) words(place, say("盲区热点"), [["blind", say("热点内半数以上警情无在线摄像机可见")]]);
  }
  function density(place, meta) {
    const p = meta.parameters, box = put(place, "div", "overlay-key");
    const head = put(box, "div", "");
    put(head, "strong", "", say("核密度"));
    put(head, "span", "caption", " " + say("起 / 平方公里 · {days}天", { days: focus.days[0] }));
    const scale = put(box, "div", "scale"), ramp = put(scale, "div", "ramp"), limits = put(scale, "div", "limits");
    for (let i = 1; i <= 5; i++) put(ramp, "span", "density-" + i);
    for (const limit of p.limits_per_km2 || []) put(limits, "span", "", yanpan.units.thousands(limit));
    put(box, "div", "caption", say("带宽 {b} 米 · {kernel} · 格网 {c} 米", { b: Math.round(p.bandwidth_m), kernel: say(p.kernel === "quartic" ? "四次核" : "高斯核"), c: Math.round(p.cell_m) }));
  }
  function words(place, title, rows, note) {
    const box = put(place, "div", "overlay-key");
    const line = put(box, "div", "key-words");
    put(line, "strong", "", title);
    for (const [key, text] of rows) {
      const pair = put(line, "span", "key-pair");
      put(pair, "span", "key-box " + key);
      pair.append(text);
    }
    if (note) put(box, "div", "caption", note);
  }

  document.addEventListener("yanpan:overlays", sayStates);

  /** The state of the address: which layers are on. */
  yanpan.layerPanel = function (state) {
    focus = state;
    layers = state.layers;
    const count = document.getElementById("layer-count"), panel = document.getElementById("layer-panel");
    if (count) count.textContent = layers.length + " / " + (ORDER.length + BASE.length);
    if (panel) build(panel);
  };

  /** How a layer was made: asked of the server, which has the answer at hand. */
  yanpan.methodCard = function (name) {
    const card = document.getElementById("method-card");
    card.hidden = false;
    yanpan.render(card, ["p", { class: "empty" }, [say("正在读取…")]]);
    yanpan.ask("/workbench/card?layer=" + encodeURIComponent(name) + "&" + yanpan.workbench.query())
      .then((tree) => yanpan.render(card, tree))
      .catch((fault) => yanpan.render(card, ["p", { class: "empty" }, [fault.message]]))
      .finally(function () {
        const close = document.createElement("button");
        close.type = "button";
        close.className = "close";
        close.textContent = "×";
        close.setAttribute("aria-label", say("关闭"));
        close.addEventListener("click", () => { card.hidden = true; });
        card.append(close);
        close.focus();
      });
  };
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-card]");
    if (button) yanpan.methodCard(button.dataset.card);
    const copy = event.target.closest && event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.textContent = say("已复制"); }, () => { copy.textContent = say("请手工复制"); });
  });
})();
