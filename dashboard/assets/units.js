/* Units and their numbers: what the server packs, unpacked, and written the way the pages write it: rows, hover card and
   table cells. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const LEVELS = ["district", "street", "community", "grid"];
  const WORDS = [["明显上升", "▲", "bad"], ["需关注", "◆", "warn"], ["正常波动", "○", "calm"],
                 ["有所下降", "▽", "good"], ["明显下降", "▼", "good"], ["无法比较", "–", "none"]];
  const CATEGORIES = ["刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他", "无效"];  // in the order of their colours
  const QUALITIES = { exact: "精确", centroid: "区域中心点", pile_up: "默认坐标", low_precision: "坐标粗略", outside: "在网格之外", none: "无坐标" };
  const lists = {};
  const say = (text, values) => yanpan.say(text, values);

  /* --- numbers -------------------------------------------------------------------------------------------------- */

  const KINDS = { i1: Int8Array, i2: Int16Array, i4: Int32Array };
  function unpack(column) {
    const bytes = Uint8Array.from(atob(column.data), (ch) => ch.charCodeAt(0));
    return new KINDS[column.type](bytes.buffer);
  }
  function decode(values) {
    const columns = {};
    for (const name in values.columns) columns[name] = unpack(values.columns[name]);
    return Object.assign({}, values, { columns: columns });
  }
  const RELEASES = 2;  // the one that is shown, and the one that takes its place
  let recent = [];
  /** Codes, names and places of the units of a level; asked once a release. */
  function unitsOf(release, level) {
    const key = release + "/" + level;
    if (!lists[key]) {
      if (!recent.includes(release)) recent = [release, ...recent].slice(0, RELEASES);
      for (const one in lists) if (!recent.includes(one.split("/")[0])) delete lists[one];  // a wall sees hundreds
      lists[key] = fetch("/tiles/" + level + "/units.json?release=" + encodeURIComponent(release) + "&scope=" + window.yanpanScope)
        .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
      lists[key].catch(() => { delete lists[key]; });
    }
    return lists[key];
  }
  const thousands = (n) => n.toLocaleString("en-US");
  const signed = (n) => (n > 0 ? "+" : n < 0 ? "−" : "") + thousands(Math.abs(n));
  function percentText(tenths, before) {
    if (tenths === -2147483648) return before === 0 ? say("上期为0") : "—";
    if (before >= 0 && before < 10) return say("基数小");
    const text = thousands(Math.abs(tenths) / 10);
    return (tenths > 0 ? "+" : tenths < 0 ? "−" : "") + text + "%";
  }
  /* Three decimals, four where three would carry it over a threshold. */
  function pText(p) {
    if (p < 0) return "";
    if (p < 5) return "p<0.001";
    if (p >= 9995) return "p=1";
    const near = [100, 500].some((limit) => p < limit && Math.round(p / 10) * 10 >= limit);
    return "p=" + (p / 10000).toFixed(near ? 4 : 3);
  }

  /** Everything the page says of one unit, by position. */
  function row(i, v, u, focus) {
    const c = v.columns, n = c.count[i];
    const parent = parentName(i, u, focus.root);
    const one = { code: u.codes[i], name: shortName(u.names[i], parent), parent: parent, count: n < 0 ? null : n };
    one.rate = c.rate && c.rate[i] >= 0 ? c.rate[i] / 1000 : null;
    one.gaps = c.gaps[i];
    if (!v.counted) one.count = undefined;
    if (!c.verdict || !v.counted) return one;
    const word = WORDS[c.verdict[i]];
    const compared = word && word[0] !== "无法比较";
    one.before = c.before[i] < 0 ? null : c.before[i];
    const plain = compared && !focus.unequal;  // with unequal windows only the test compares, by days
    one.difference = plain ? c.difference[i] : null;
    one.partial = plain && one.count !== null && one.before !== null && one.count - one.before !== one.difference;
    one.percent = plain && c.percent[i] !== -2147483648 ? c.percent[i] / 10 : null;
    one.percentText = plain ? percentText(c.percent[i], c.before[i]) : "—";
    one.p = compared && c.p[i] >= 0 ? c.p[i] / 10000 : null;
    one.pText = compared ? pText(c.p[i]) : "";
    one.verdict = word ? word[0] : null;
    return one;
  }
  function shortName(name, parent) {
    return parent && name.length > parent.length && name.startsWith(parent) ? name.slice(parent.length) : name;
  }
  function parentName(i, u, root) {
    for (let k = LEVELS.indexOf(u.level) - 1; k >= 0; k--) {
      const above = u.above[LEVELS[k]];
      if (above && above[i] >= 0) return u.above_names[LEVELS[k]][above[i]];
    }
    return root;
  }

  /* --- elements, hover card, cells ---------------------------------------------------------------------------------- */

  /** A new element with text in it, at the end of another. */
  function line(parent, tag, className, text) {
    const part = parent.appendChild(document.createElement(tag));
    part.className = className;
    part.textContent = text;
    return part;
  }
  const PARTIAL = "差只按两期都已上报、同样齐全的部分";

  /** What the hover card says of one unit, by position. */
  function card(target, i, v, u, focus, before) {
    const one = row(i, v, u, focus), past = focus.names[1];
    target.replaceChildren();
    line(target, "strong", "", one.name);
    line(target, "div", "caption", one.parent);
    if (one.count === undefined) line(target, "div", "caption", say("没有事件来源"));
    if (focus.measure === "disputes" && v.columns.found) {
      disputed(target, i, v);
      line(target, "div", "caption", say("警情 {n} 起", { n: one.count === null ? say("未报") : thousands(one.count || 0) }));
      return;
    }
    if (before && one.verdict) { pastNumbers(target, one, past, focus); return; }
    if (one.count === undefined) return;
    if (one.count === null) line(target, "div", "missing", say("未报：没有任何上报，不按0计"));
    else {
      const numbers = line(target, "div", "numbers", "");
      line(numbers, "b", "", thousands(one.count));
      line(numbers, "span", "", " " + say("起", { n: one.count }));
      if (focus.polygon) line(numbers, "span", "caption", "　" + say("圈内"));
      else if (one.rate !== null) line(numbers, "span", "caption", "　" + say("每千人 {n}", { n: trimmed(one.rate) }));
      if (!focus.polygon && u.area_km2 && u.area_km2[i] > 0) line(numbers, "span", "caption", "　" + say("每平方公里 {n}", { n: trimmed(one.count / u.area_km2[i]) }));
    }
    if (one.gaps && one.count) line(target, "div", "caption", say("缺 {n} 个上报期", { n: one.gaps }));
    compared(target, one, past, focus);
    measured(target, i, v, focus);
  }
  const trimmed = (x) => x.toFixed(2).replace(/\.?0+$/, "");
  function compared(target, one, past, focus) {
    if (!one.verdict) return;
    if (one.before === null) { line(target, "div", "caption", say("{past}未报，无法比较", { past: past })); return; }
    if (one.verdict === "无法比较") { line(target, "div", "caption", "– " + say("无法比较")); return; }
    const text = focus.unequal ? say("{past} {n}（天数不同，按日均检验）", { past: past, n: thousands(one.before) })
      : one.before === 0 ? (one.difference ? say("{past}为0，增加{n}起", { past: past, n: one.difference }) : say("{past}也为0", { past: past }))
      : past + " " + thousands(one.before) + "　" + signed(one.difference) + "　" + one.percentText;
    line(target, "div", "", text);
    if (one.partial) line(target, "div", "caption", say(PARTIAL));
    const word = WORDS.find((w) => w[0] === one.verdict), last = line(target, "div", "judged", "");
    line(last, "span", "verdict " + word[2], word[1] + " " + say(one.verdict));
    line(last, "span", "p", one.pText);
  }
  /* What the measure in force adds: a class with its test, a smoothed rate, disputes. */
  function measured(target, i, v, focus) {
    const c = v.columns;
    if (c.label && c.label[i] >= 0) {
      const last = line(target, "div", "judged", ""), [label, words] = v.classes[c.label[i]];
      line(last, "span", "verdict " + (/hot|^H/.test(label) ? "bad" : label === "none" ? "calm" : "good"), words);
      if (c.z[i] !== -2147483648) line(last, "span", "p", "z=" + (c.z[i] / 100).toFixed(2));
      if (c.q[i] >= 0) line(last, "span", "p", c.q[i] < 5 ? "q<0.001" : "q=" + (c.q[i] / 10000).toFixed(3));
    }
    if (focus.measure === "eb" && c.bayes && c.bayes[i] >= 0) line(target, "div", "caption", say("稳健率 每千人 {n}", { n: trimmed(c.bayes[i] / 1000) }));
  }
  /* The compared window's half of a swipe: its number first. */
  function pastNumbers(target, one, past, focus) {
    if (one.before === null) { line(target, "div", "missing", say("{past}未报，无法比较", { past: past })); return; }
    const numbers = line(target, "div", "numbers", "");
    line(numbers, "b", "", thousands(one.before));
    line(numbers, "span", "", " " + say("起", { n: one.before }) + "　" + past);
    line(target, "div", "", focus.names[0] + " " + (one.count === null ? say("未报") : thousands(one.count)));
  }
  function disputed(target, i, v) {
    const c = v.columns;
    if (c.dispute_state[i] !== 0 && c.found[i] >= 0) {
      const numbers = line(target, "div", "numbers", "");
      line(numbers, "b", "", thousands(c.found[i]));
      line(numbers, "span", "", " " + say("件纠纷"));
    }
    line(target, "div", c.dispute_state[i] === 0 ? "missing" : "", c.dispute_state[i] === 0 ? say("纠纷未报")
      : c.found[i] < 0 ? say("没有纠纷统计") : say("排查 {found} · 调处 {handled} · 成功 {done}", { found: known(c.found[i]), handled: known(c.handled[i]), done: known(c.succeeded[i]) }));
  }
  const known = (n) => (n < 0 ? "—" : thousands(n));
  /** 未报 in a place as wide as a number. */
  const missing = () => (document.documentElement.lang.startsWith("en") ? "n/r" : say("未报"));

  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.yanpanFormat = function (field, params) {
    const value = params.value;
    if (field === "count" || field === "before") return value === null ? missing() : value === undefined ? "" : thousands(value);
    if (value === null || value === undefined) return field === "percent" && params.data ? params.data.percentText || "" : "";
    if (field === "difference") return signed(value) + (params.data.partial ? "＊" : "");
    if (field === "percent") return params.data.percentText;
    if (field === "rate") return value.toFixed(2);
    return params.data.pText.replace(/^p=?/, "");
  };
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.YanpanArea = function (props) {
    const query = yanpan.query();
    query.set("area", props.data.code);
    return window.React.createElement("a", { className: "nav", href: "?" + query.toString() }, props.value);
  };
  components.YanpanVerdict = function (props) {
    const word = WORDS.find((w) => w[0] === props.value);
    return word ? window.React.createElement("span", { className: "verdict " + word[2] }, word[1] + " " + say(word[0])) : null;
  };
  /* Seen to, or not yet; what is said is kept by the server. */
  components.YanpanSeen = function (props) {
    function turn(event) {
      const seen = !props.data.seen, button = event.currentTarget;
      button.disabled = true;
      yanpan.ask("/workbench/acknowledge", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ alert_id: props.data.alert_id, seen: seen }) })
        .then(function () { props.node.setData({ ...props.data, seen: seen }); }, function (fault) { button.title = fault.message; button.textContent = "✕ " + say("未保存"); button.disabled = false; });
    }
    const words = props.data.seen ? "✓ " + say("已确认") : say("确认");
    return window.React.createElement("button", { className: "seen" + (props.data.seen ? " on" : ""), type: "button", onClick: turn, "aria-pressed": String(props.data.seen) }, words);
  };

  /** A number for a small place: 1.2万, 12k. */
  function short(n) {
    if (n < 10000) return String(n);
    if (document.documentElement.lang.startsWith("en")) return Math.round(n / 1000) + "k";
    return (n / 10000).toFixed(n < 100000 ? 1 : 0).replace(/\.0$/, "") + "万";
  }

  /* Tiles are kept for ever by their address: it names the release and the mark of what the visitor may see. */
  function tileUrl(layer, release, more) {
    const query = ".png?release=" + encodeURIComponent(release) + "&scope=" + window.yanpanScope + (more || "");
    return (c) => "/tiles/" + layer + "/" + c.z + "/" + c.x + "/" + c.y + query;
  }
  yanpan.tileUrl = tileUrl;

  /** The units of a level as a layer of the map, still without colours. */
  function layer(level, release, list, pane) {
    return yanpan.identityLayer(window.L, {
      url: tileUrl(level, release), pane: pane, key: level + "@" + release, hatchMarker: yanpan.paint.HATCH,
      units: { level: level, district: list.above.district, street: list.above.street },
    });
  }
  yanpan.units = { CATEGORIES, QUALITIES, WORDS, PARTIAL, thousands, signed, missing, shortName, parentName, decode, unitsOf, row, line, card, layer, short, pText };
})();
