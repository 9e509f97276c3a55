/* A Leaflet grid layer over identity tiles: each pixel names its unit, colours come from a lookup table, so new numbers
   repaint what is there and geometry is never asked for again. */
(function () {
  "use strict";
  const PX = 512;
  const MASK = 0xffffff;
  const HATCH_STEP = 12;

  /* What runs beside the page: tiles are fetched, read and their borders marked without holding up a frame. */
  function beside() {
    const PX = 512, above = {};
    let releases = [];  // of which the units above are kept
    function readIds(bitmap, grey) {
      const context = new OffscreenCanvas(PX, PX).getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      const raw = new Uint32Array(context.getImageData(0, 0, PX, PX).data.buffer), ids = new Int32Array(PX * PX);
      for (let i = 0; i < ids.length; i++) {
        const v = raw[i];  // ABGR in memory order
        ids[i] = grey ? v & 0xff : ((v & 0xff) << 16) | (v & 0xff00) | ((v >>> 16) & 0xff);
      }
      return ids;
    }
    /* Weight of the border between two units: 1 own level, 2 street, 3 district and outside. */
    function weigh(a, b, { level, district, street }) {
      if (!a || !b || level === "district") return 3;
      if (district && district[a - 1] !== district[b - 1]) return 3;
      if (level === "street") return 2;
      return street && street[a - 1] !== street[b - 1] ? 2 : 1;
    }
    /* Mark border pixels with their weight in the top byte. */
    function markBorders(ids, units) {
      const weights = new Uint8Array(PX * PX);
      function stamp(at, weight, along) {
        const reach = weight === 3 ? 2 : 1, place = along === 1 ? at % PX : (at / PX) | 0;
        for (let k = 1 - reach; k <= reach; k++) {
          if (place + k < 0 || place + k >= PX) continue;
          const j = at + k * along;
          if (weights[j] < weight) weights[j] = weight;
        }
      }
      for (let y = 0; y < PX; y++) {
        for (let x = 0, i = y * PX; x < PX; x++, i++) {
          const a = ids[i];
          if (x + 1 < PX && ids[i + 1] !== a) stamp(i, weigh(a, ids[i + 1], units), 1);
          if (y + 1 < PX && ids[i + PX] !== a) stamp(i, weigh(a, ids[i + PX], units), PX);
        }
      }
      for (let i = 0; i < ids.length; i++) ids[i] |= weights[i] << 24;
    }
    self.onmessage = function ({ data }) {
      if (data.units) {
        const release = data.key.split("@")[1];
        if (!releases.includes(release)) releases = [release, ...releases].slice(0, 2);
        for (const key in above) if (!releases.includes(key.split("@")[1])) delete above[key];
        above[data.key] = data.units;
        return;
      }
      fetch(data.url)
        .then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.blob(); })
        .then((blob) => createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" }))
        .then(function (bitmap) {
          const ids = readIds(bitmap, !data.key);
          if (data.key) markBorders(ids, above[data.key]);
          self.postMessage({ number: data.number, ids: ids }, [ids.buffer]);
        })
        .catch((fault) => self.postMessage({ number: data.number, fault: String(fault) }));
    };
  }
  const waiting = new Map();
  let worker = null, asked = 0;
  function helper() {
    if (worker) return worker;
    worker = new Worker(URL.createObjectURL(new Blob(["(" + beside.toString() + ")()"], { type: "text/javascript" })));
    worker.onmessage = function ({ data }) {
      const then = waiting.get(data.number);
      waiting.delete(data.number);
      if (then) then(data);
    };
    return worker;
  }

  window.yanpan = window.yanpan || {};
  /** options: url(coords) -> address; key and units {level, district, street} (positions above each unit) where pixels
      name units; without them tiles are grey and have no borders. */
  window.yanpan.identityLayer = function (L, options) {
    const Layer = L.GridLayer.extend({
      paints: null,  // {lut, lines, hatch}: Int32Arrays of ABGR, what colours mean now
      hovered: 0,

      createTile: function (coords, done) {
        const tile = L.DomUtil.create("div", "identity-tile");
        tile.fill = tile.appendChild(document.createElement("canvas"));
        tile.fill.width = tile.fill.height = PX;
        const number = ++asked;
        waiting.set(number, (answer) => {
          if (answer.ids && this._map) {
            tile.ids = answer.ids;
            this._paint(tile);
          }
          done(answer.fault ? new Error(answer.fault) : null, tile);
        });
        helper().postMessage({ number: number, url: new URL(this.options.url(coords), location.href).href, key: this.options.key });
        return tile;
      },

      /** New colours: repaint every tile that is there. */
      paint: function (paints) {
        this.paints = paints;
        this._each((tile) => this._paint(tile));
        return this;
      },

      /** The unit under a place of the map: its position plus one; 0 outside. */
      idAt: function (latlng) {
        if (!this._map || this._tileZoom === undefined) return 0;
        const at = this._map.project(latlng, this._tileZoom).divideBy(256);
        const tile = this._tiles[Math.floor(at.x) + ":" + Math.floor(at.y) + ":" + this._tileZoom];
        if (!tile || !tile.el.ids) return 0;
        const x = Math.floor((at.x % 1) * PX), y = Math.floor((at.y % 1) * PX);
        return tile.el.ids[y * PX + x] & MASK;
      },

      /** Outline one unit; 0 none. */
      hover: function (id, colour) {
        if (id === this.hovered) return;
        this.hovered = id;
        this._each((tile) => this._outline(tile, id, colour));
      },

      _each: function (visit) {
        for (const key in this._tiles) if (this._tiles[key].el.ids) visit(this._tiles[key].el);
      },

      _paint: function (tile) {
        if (!this.paints) return;
        const { lut, lines, hatch } = this.paints;
        if (!tile.image) tile.image = new ImageData(PX, PX);
        // Whole loops in 32-bit integers: four times as fast as with unsigned ones, which the engine keeps as doubles.
        const out = new Int32Array(tile.image.data.buffer), ids = tile.ids, marker = this.options.hatchMarker | 0;
        let hatched = 0;
        for (let i = 0; i < PX * PX; i++) {
          const v = ids[i];
          const colour = v > MASK ? lines[v >> 24] : lut[v];
          hatched |= colour === marker ? 1 : 0;
          out[i] = colour;
        }
        if (hatched && marker) {
          for (let i = 0; i < ids.length; i++) {
            if (out[i] === marker) out[i] = hatch[(((i & 511) + (i >>> 9)) % HATCH_STEP) < 3 ? 1 : 0];
          }
        }
        tile.fill.getContext("2d").putImageData(tile.image, 0, 0);
      },

      _outline: function (tile, id, colour) {
        if (tile.mark) { tile.mark.remove(); tile.mark = null; }
        if (!id) return;
        const ids = tile.ids;
        let image = null, out = null;
        for (let y = 0; y < PX; y++) {
          for (let x = 0, i = y * PX; x < PX; x++, i++) {
            if ((ids[i] & MASK) !== id) continue;
            const edge = (x < 3 ? false : (ids[i - 3] & MASK) !== id) || (x >= PX - 3 ? false : (ids[i + 3] & MASK) !== id) ||
              (y < 3 ? false : (ids[i - 3 * PX] & MASK) !== id) || (y >= PX - 3 ? false : (ids[i + 3 * PX] & MASK) !== id);
            if (!edge) continue;
            if (!image) { image = new ImageData(PX, PX); out = new Uint32Array(image.data.buffer); }
            out[i] = colour;
          }
        }
        if (!image) return;
        tile.mark = tile.appendChild(document.createElement("canvas"));
        tile.mark.width = tile.mark.height = PX;
        tile.mark.getContext("2d").putImageData(image, 0, 0);
      },
    });
    if (options.key) helper().postMessage({ key: options.key, units: options.units });
    return new Layer(Object.assign({ updateWhenIdle: false, keepBuffer: 1, maxZoom: 19 }, options));
  };
})();
