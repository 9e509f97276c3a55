/* Units and their numbers: what the server packs, unpacked, and written the way the pages write it; points and table
   cells, which Leaflet and the grid draw one by one. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const LEVELS = ["district", "street", "community", "grid"];
  const WORDS = [["明显上升", "▲", "bad"], ["需关注", "◆", "warn"], ["正常波动", "○", "calm"],
                 ["有所下降", "▽", "good"], ["明显下降", "▼", "good"], ["无法比较", "–", "none"]];
  const lists = {};

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
  /** Codes, names and places of the units of a level; asked once a release. */
  function unitsOf(release, level) {
    const key = release + "/" + level;
    if (!lists[key]) {
      lists[key] = fetch("/tiles/" + level + "/units.json?release=" + encodeURIComponent(release))
        .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
      lists[key].catch(() => { delete lists[key]; });
    }
    return lists[key];
  }
  const thousands = (n) => n.toLocaleString("en-US");
  const signed = (n) => (n > 0 ? "+" : n < 0 ? "−" : "") + thousands(Math.abs(n));
  function percentText(tenths, before) {
    if (tenths === -2147483648) return before === 0 ? "上期为0" : "—";
    if (before >= 0 && before < 10) return "基数小";
    const text = thousands(Math.abs(tenths) / 10);
    return (tenths > 0 ? "+" : tenths < 0 ? "−" : "") + text + "%";
  }
  const pText = (p) => (p < 0 ? "" : p < 5 ? "p<0.001" : p >= 9995 ? "p=1" : "p=" + (p / 10000).toFixed(3));

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

  /* --- elements, points, cells ---------------------------------------------------------------------------------- */

  /** A new element with text in it, at the end of another. */
  function line(parent, tag, className, text) {
    const part = parent.appendChild(document.createElement(tag));
    part.className = className;
    part.textContent = text;
    return part;
  }
  const CATEGORIES = ["刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他", "无效"];
  yanpan.points = {
    dot: function (feature, latlng) {
      const number = CATEGORIES.indexOf(feature.properties.category);
      return window.L.marker(latlng, {
        icon: window.L.divIcon({ className: "dot cat-" + number, iconSize: [11, 11] }), keyboard: false,
      });
    },
    cluster: function (feature, latlng) {
      const n = feature.properties.point_count, size = 22 + 6 * Math.min(3, Math.log10(n));
      return window.L.marker(latlng, {
        icon: window.L.divIcon({ className: "cluster", html: String(n), iconSize: [size, size] }), keyboard: false,
      });
    },
    describe: function (feature, layer) {
      const p = feature.properties;
      if (p.cluster) return;
      const box = document.createElement("div");
      line(box, "strong", "", p.category + (p.subcategory ? " · " + p.subcategory : ""));
      const time = p.occurred_from.replace("T", " ").slice(0, 16);
      line(box, "div", "", p.occurred_to ? "在 " + time + " 至 " + p.occurred_to.replace("T", " ").slice(0, 16) + " 之间" : time);
      const rest = [p.place_type, p.status].filter(Boolean).join(" · ");
      if (rest) line(box, "div", "caption", rest);
      if (p.location_quality !== "exact") {
        const words = { centroid: "区域中心点", pile_up: "默认坐标", low_precision: "坐标粗略", outside: "在网格之外" };
        line(box, "div", "warn", "◆ 定位：" + (words[p.location_quality] || p.location_quality));
      }
      layer.bindTooltip(box, { className: "point-card", direction: "top", offset: [0, -6] });
    },
  };

  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  functions.yanpanFormat = function (field, params) {
    const value = params.value;
    if (field === "count" || field === "before") return value === null ? "未报" : value === undefined ? "" : thousands(value);
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
    return word ? window.React.createElement("span", { className: "verdict " + word[2] }, word[1] + " " + word[0]) : null;
  };

  yanpan.units = { WORDS, thousands, signed, shortName, parentName, decode, unitsOf, row, line };
})();
