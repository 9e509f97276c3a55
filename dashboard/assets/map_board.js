/* A board shows one window of time on a Leaflet map: base, units and overlays in panes of their own. The page has one
   board; two where the compared window stands beside it, on the same map (swipe) or on a second one (side). */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const PANES = { basemap: 200, units: 220, base: 230, outline: 420, labels: 640 };
  const OVERLAYS_FROM = 300;

  /** past: paints the compared window; shared: stands on a map that another board has too. */
  yanpan.Board = class {
    constructor(map, past, shared) {
      this.map = map;
      this.past = past;
      this.shared = shared;
      this.units = {};  // identity layers by level and release; more than one only while a new one loads
      this.overlays = {};
      this.measure = null;
      this.names = new Set();
      for (const name in PANES) this.pane(name, PANES[name]);
    }

    /** The pane of a name, made where it is missing; drawn at height z. */
    pane(name, z) {
      const own = name + (this.shared ? "-past" : "");
      if (!this.map.getPane(own)) {
        this.map.createPane(own);
        if (PANES[name]) this.map.getPane(own).style.pointerEvents = "none";
      }
      this.names.add(own);
      if (z !== undefined) this.map.getPane(own).style.zIndex = z;
      return own;
    }
    overlayPane(name, place) { return this.pane(name, OVERLAYS_FROM + place); }

    /** Roads, water and buildings of the release. */
    showBase(release, shown) {
      if (this.shared) return;
      if (this.base && this.base.release !== release) { this.base.remove(); this.base = null; }
      if (!this.base) {
        this.base = yanpan.identityLayer(window.L, { url: yanpan.tileUrl("base", release), pane: this.pane("base") });
        this.base.release = release;
        this.base.addTo(this.map);
      }
      this.base.paint(yanpan.paint.base(shown));
    }

    /** The units of a level with their numbers; what was there stays faintly until the new level is whole. */
    showUnits(values, list, measure, release, drawn) {
      const key = values.level + "@" + release;
      Object.assign(this, { values, list, measure, key, drawn });
      const others = Object.keys(this.units).filter((k) => k !== key);
      if (this.units[key]) {  // back before another level was whole
        for (const k of others) this._drop(k);
        this.units[key].setOpacity(1);
      } else {
        const layer = yanpan.units.layer(values.level, release, list, this.pane("units"));
        for (const k of others) this.units[k].setOpacity(0.3);
        layer.setOpacity(others.length ? 0 : 1);
        layer.once("load", () => {
          if (key !== this.key) return;
          document.dispatchEvent(new CustomEvent("yanpan:mapped"));
          for (const k of Object.keys(this.units)) if (k !== key) this._drop(k);
          layer.setOpacity(1);
        });
        this.units[key] = layer.addTo(this.map);
      }
      this.repaint();
    }
    repaint() {
      if (!this.values || !this.units[this.key]) return;
      this.zoomPainted = this.map.getZoom();
      this.units[this.key].paint(yanpan.paint.units(this.values, this.list, this.measure, this.zoomPainted, this.past, this.drawn));
    }
    /** Colours of units grow lighter as the map comes closer. */
    zoomed() { if (this.zoomPainted !== this.map.getZoom()) this.repaint(); }

    unitAt(latlng) {
      const layer = this.units[this.key];
      const id = layer ? layer.idAt(latlng) : 0;
      return id && this.values.columns.shown[id - 1] ? id : 0;
    }
    hover(id) {
      const layer = this.units[this.key];
      if (layer) layer.hover(id, yanpan.paint.abgr(yanpan.paint.css("--accent"), 1));
    }
    _drop(key) {
      this.units[key].remove();
      delete this.units[key];
    }
    clearUnits() {
      for (const key of Object.keys(this.units)) this._drop(key);
      this.values = null;
    }

    /** Keep to one side of a line down the map, ``at`` pixels from its left edge; null shows all. */
    clip(at) {
      const map = this.map, size = map.getSize();
      const from = map.containerPointToLayerPoint([this.past ? 0 : at || 0, 0]);
      const to = map.containerPointToLayerPoint([this.past && at !== null ? at : size.x, size.y]);
      const rect = at === null ? "" : "rect(" + [from.y, to.x, to.y, from.x].map((v) => Math.round(v) + "px").join(",") + ")";
      for (const name of this.names) if (!/^(basemap|base|outline|labels)/.test(name)) map.getPane(name).style.clip = rect;
    }
    remove() {
      this.clearUnits();
      yanpan.overlays.clear(this);
      if (this.base) { this.base.remove(); this.base = null; }
    }
  };

})();
