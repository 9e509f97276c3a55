/* The base map under our own layers: local pictures or online tiles, one at a time. Tiles drawn in GCJ-02 are each put
   where their corner lies in WGS 84, so that data, clicks and exports stay as they are. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const RAD = Math.PI / 180, MOST_ZOOM = 24;
  const applied = new WeakMap();  // map -> its base map

  /* --- GCJ-02: the formula and constants of geo/datum_shift.py ------------------------------------------------------- */

  const CHINA = [72.004, 0.8293, 137.8347, 55.8271], A = 6378245.0, EE = 0.00669342162296594323;
  const inChina = (lon, lat) => lon >= CHINA[0] && lon <= CHINA[2] && lat >= CHINA[1] && lat <= CHINA[3];
  function shift(lon, lat) {
    const { sin, cos, sqrt, abs, PI } = Math, x = lon - 105, y = lat - 35;
    const common = (20 * sin(6 * PI * x) + 20 * sin(2 * PI * x)) * 2 / 3;
    let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + common;
    north += (20 * sin(PI * y) + 40 * sin(PI * y / 3)) * 2 / 3;
    north += (160 * sin(PI * y / 12) + 320 * sin(PI * y / 30)) * 2 / 3;
    let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + common;
    east += (20 * sin(PI * x) + 40 * sin(PI * x / 3)) * 2 / 3;
    east += (150 * sin(PI * x / 12) + 300 * sin(PI * x / 30)) * 2 / 3;
    const square = 1 - EE * sin(lat * RAD) ** 2, root = sqrt(square);
    return [east / (A / root * cos(lat * RAD)) / RAD, north / (A * (1 - EE) / (square * root)) / RAD];
  }
  function wgs84ToGcj02(lon, lat) {
    if (!inChina(lon, lat)) return [lon, lat];
    const [dx, dy] = shift(lon, lat);
    return [lon + dx, lat + dy];
  }
  /** The inverse, iterated until it stands still. */
  function gcj02ToWgs84(lon, lat) {
    if (!inChina(lon, lat)) return [lon, lat];
    let x = lon, y = lat;
    for (let round = 0; round < 10; round++) {
      const [dx, dy] = shift(x, y), moved = Math.max(Math.abs(lon - dx - x), Math.abs(lat - dy - y));
      x = lon - dx;
      y = lat - dy;
      if (moved < 1e-13) break;
    }
    return [x, y];
  }

  /* --- tiles ----------------------------------------------------------------------------------------------------------- */

  let Shifted = null;
  function shiftedClass() {
    const L = window.L;
    Shifted = Shifted || L.TileLayer.extend({
      initialize: function (url, options) {
        L.TileLayer.prototype.initialize.call(this, url, options);
        this.on("tileloadstart", (event) => this._fitTile(event.tile, event.coords));
      },
      /* Where the north-west corner of a tile belongs, in pixels of the tile zoom. */
      _corner: function (x, y, z) {
        const corner = this._map.unproject(window.L.point(x, y).scaleBy(this.getTileSize()), z);
        const [lon, lat] = gcj02ToWgs84(corner.lng, corner.lat);
        return this._map.project([lat, lon], z).subtract(this._level.origin);
      },
      /* Neighbours are shifted a little differently: a tile reaches to where theirs begin, so no seam shows. */
      _frame: function (c) {
        const nw = this._corner(c.x, c.y, c.z), ne = this._corner(c.x + 1, c.y, c.z);
        const sw = this._corner(c.x, c.y + 1, c.z), se = this._corner(c.x + 1, c.y + 1, c.z);
        const least = window.L.point(Math.min(nw.x, sw.x), Math.min(nw.y, ne.y)).round();
        const most = window.L.point(Math.max(ne.x, se.x), Math.max(sw.y, se.y)).round();
        return window.L.bounds(least, most);
      },
      _getTilePos: function (coords) { return this._frame(coords).min; },
      _fitTile: function (tile, coords) {
        const size = this._frame(coords).getSize();
        tile.style.width = size.x + "px";
        tile.style.height = size.y + "px";
      },
      /* A view shows the tiles whose numbers lie where the view is in GCJ-02. */
      _pxBoundsToTileRange: function (bounds) {
        const z = this._tileZoom, map = this._map;
        const corners = [bounds.min, bounds.max, bounds.getBottomLeft(), bounds.getTopRight()].map(function (corner) {
          const place = map.unproject(corner, z), [lon, lat] = wgs84ToGcj02(place.lng, place.lat);
          return map.project([lat, lon], z);
        });
        return window.L.TileLayer.prototype._pxBoundsToTileRange.call(this, window.L.bounds(corners));
      },
    });
    return Shifted;
  }

  function layerOf(map, description, url) {
    const b = description.bounds;
    const options = {
      pane: map.getPane("basemap") ? "basemap" : "tilePane", className: "basemap-tiles", subdomains: description.hosts || "a",
      minZoom: description.min_zoom, maxNativeZoom: description.max_zoom, maxZoom: MOST_ZOOM,
    };
    if (b) options.bounds = [[b[1], b[0]], [b[3], b[2]]];
    const layer = description.datum === "gcj02" ? new (shiftedClass())(url, options) : window.L.tileLayer(url, options);
    layer.beforeAdd = function () {};  // Leaflet's would limit the map to the zooms of this layer
    return layer;
  }

  /** Put a base map (one of basemaps.describe) under a map in place of the one before; null for none. */
  function apply(map, description) {
    const key = JSON.stringify(description || null), before = applied.get(map);
    if (before && before.key === key) return;
    if (before) {
      for (const layer of before.layers) layer.remove();
      before.said.remove();
      applied.delete(map);
    }
    if (!description) return;
    const said = map.getContainer().appendChild(document.createElement("div"));
    said.className = "basemap-said";
    said.textContent = description.attribution;
    let came = false;
    const layers = description.tiles.map(function (url) {
      const layer = layerOf(map, description, url);
      layer.on("tileload", function () {
        came = true;
        said.textContent = description.attribution;
        said.classList.remove("bad");
      });
      layer.on("tileerror", function () {
        if (came) return;
        said.textContent = yanpan.say("底图“{name}”读不到", { name: description.name });
        said.classList.add("bad");
      });
      return layer.addTo(map);
    });
    applied.set(map, { key: key, layers: layers, said: said });
  }

  yanpan.basemap = { apply, wgs84ToGcj02, gcj02ToWgs84, layers: (map) => (applied.get(map) || { layers: [] }).layers };
})();
