/* The ledger on the map: a mark at each place, its shape the state; a click on the ground draws a new place. */
(function () {
  "use strict";
  const yanpan = window.yanpan, meeting = window.yanpanMeeting;
  const board = document.getElementById("city");
  if (!board || !meeting.map) return;
  yanpan.wall = { scale: 1 };
  yanpan.screen = { map: meeting.map, theme: "" };
  const at = { points: [], line: null, drawing: false, note: null };

  async function begin() {
    const map = yanpan.city.build(), { land } = meeting.map;
    map.dragging.enable();
    map.scrollWheelZoom.enable();
    map.doubleClickZoom.disable();
    if (land) yanpan.city.ground(meeting.release, land, await yanpan.units.unitsOf(meeting.release, land));
    yanpan.city.fit();
    const L = window.L;
    for (const one of meeting.map.marks) {
      if (one.polygon) L.geoJSON({ type: "Feature", geometry: polygonOf(one.polygon) }, { interactive: false, style: { color: yanpan.paint.css("--accent"), weight: 2, fillOpacity: 0.08 } }).addTo(map);
      const mark = L.marker([one.lat, one.lon], { icon: L.divIcon({ className: "ledger-mark " + one.tone, iconSize: [26, 26], html: "<b></b>" }), title: one.label });
      mark.on("add", () => { mark.getElement().firstChild.textContent = one.mark; });
      mark.on("click", () => yanpan.meeting.openItem(String(one.id)));
      mark.addTo(map);
    }
    map.on("click", function (event) { if (at.drawing) { at.points.push([event.latlng.lng, event.latlng.lat]); trace(map); } });
    map.on("dblclick", () => finish());
    document.addEventListener("keydown", function (event) { if (at.drawing && event.key === "Enter") { event.preventDefault(); finish(); } if (at.drawing && event.key === "Escape") { stop(); yanpan.meeting.drawn(null); } });
    document.addEventListener("yanpan:draw", () => draw());
    map.on("zoomend moveend", yanpan.city.placeNames);
    document.dispatchEvent(new CustomEvent("yanpan:map"));
  }
  function polygonOf(wkt) {
    const rings = [...wkt.matchAll(/\(([^()]+)\)/g)].map((ring) => ring[1].split(",").map((pair) => pair.trim().split(/\s+/).map(Number)));
    return { type: "Polygon", coordinates: rings };
  }
  function draw() {
    at.drawing = true;
    at.points = [];
    at.note = document.createElement("p");
    at.note.className = "draw-note";
    at.note.textContent = yanpan.say("点一下是一个点；点几下圈一个范围，双击或回车结束，Esc 取消");
    board.after(at.note);
  }
  function trace(map) {
    if (at.line) at.line.remove();
    at.line = window.L.polygon(at.points.map(([lon, lat]) => [lat, lon]), { color: yanpan.paint.css("--accent"), weight: 2 }).addTo(map);
  }
  function stop() {
    at.drawing = false;
    if (at.line) at.line.remove();
    if (at.note) at.note.remove();
    at.line = at.note = null;
  }
  function finish() {
    if (!at.drawing || !at.points.length) return;
    // A double click has added its place twice.
    const points = at.points.filter((one, i) => i === 0 || Math.hypot(one[0] - at.points[i - 1][0], one[1] - at.points[i - 1][1]) > 1e-6);
    stop();
    const round = ([lon, lat]) => lon.toFixed(6) + " " + lat.toFixed(6);
    if (points.length < 3) yanpan.meeting.drawn({ lon: points[0][0], lat: points[0][1] });
    else yanpan.meeting.drawn({ polygon: "POLYGON ((" + [...points, points[0]].map(round).join(", ") + "))" });
  }
  begin();
})();
