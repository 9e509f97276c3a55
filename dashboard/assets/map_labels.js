/* Names of the units in view, the widest first, none over another or over the number of a hotspot. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const TRIED = 200, PLACED = 60;  // names tried and placed at most

  /* Where the numbers of hotspots stand: names give way to them. */
  function numbers(map) {
    const frame = map.getContainer().getBoundingClientRect();
    return [...map.getContainer().querySelectorAll(".hotspot-number")].map(function (mark) {
      const b = mark.getBoundingClientRect();
      return [b.left - frame.left - 2, b.top - frame.top - 2, b.right - frame.left + 2, b.bottom - frame.top + 2];
    });
  }
  /** Write the names of a level into the pane "labels"; without values there are none. ``root`` names the whole. */
  yanpan.labels = function (map, values, list, root) {
    const pane = map.getPane("labels");
    pane.replaceChildren();
    if (!values) return;
    const view = map.getBounds().pad(0.02), scale = 256 * Math.pow(2, map.getZoom()) / 360;
    const taken = numbers(map), big = list.level === "district" ? 15 : 12, order = [];
    for (let i = 0; i < list.codes.length; i++) {
      const wide = list.width[i] * scale;
      if (wide < 2 * big || !values.columns.shown[i] || !view.contains([list.lat[i], list.lon[i]])) continue;
      const name = yanpan.units.shortName(list.names[i], yanpan.units.parentName(i, list, root));
      const text = [...name].reduce((sum, ch) => sum + (ch > "\u2e7f" ? 1 : 0.56), 0) * big;
      if (wide > text * 0.9) order.push([wide, i, text, name]);
    }
    order.sort((a, b) => b[0] - a[0]);
    let placed = 0;
    for (const [, i, text, name] of order.slice(0, TRIED)) {
      const p = map.latLngToContainerPoint([list.lat[i], list.lon[i]]);
      const box = [p.x - text / 2 - 4, p.y - big * 0.8, p.x + text / 2 + 4, p.y + big * 0.8];
      if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
      taken.push(box);
      const label = document.createElement("span");
      label.className = "map-label " + list.level;
      label.textContent = name;
      window.L.DomUtil.setPosition(label, map.latLngToLayerPoint([list.lat[i], list.lon[i]]));
      pane.appendChild(label);
      if (++placed >= PLACED) break;
    }
  };
})();
