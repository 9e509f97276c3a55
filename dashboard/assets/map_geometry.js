/* Lines and shapes on the ground: lengths, areas and circles on the ellipsoid, rings that do not cross themselves, WKT.
   Points are [longitude, latitude] in degrees (WGS 84 or CGCS2000); a ring does not repeat its first point. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const A = 6378137, F = 1 / 298.257223563, B = A * (1 - F), E2 = F * (2 - F), E = Math.sqrt(E2);
  const RAD = Math.PI / 180;
  const GRID = 1e6;  // rings are kept to six digits, about 0.1 m; on whole numbers, turns are decided exactly
  const SMALL_LOBE = 0.1;  // of the largest: what may be lost where a hand-drawn ring crosses itself

  /* --- on the ellipsoid --------------------------------------------------------------------------------------------- */

  /** Length of the geodesic between two points in metres (Vincenty's inverse). */
  function length(from, to) {
    const across = (to[0] - from[0]) * RAD, u1 = reduced(from[1]), u2 = reduced(to[1]);
    const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    let lambda = across, sigma, sinSigma, cosSigma, cosSqAlpha, cosMid;
    for (let round = 0; round < 200; round++) {
      const sl = Math.sin(lambda), cl = Math.cos(lambda);
      sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
      if (sinSigma === 0) return 0;
      cosSigma = s1 * s2 + c1 * c2 * cl;
      sigma = Math.atan2(sinSigma, cosSigma);
      const sinAlpha = c1 * c2 * sl / sinSigma;
      cosSqAlpha = 1 - sinAlpha * sinAlpha;
      cosMid = cosSqAlpha ? cosSigma - 2 * s1 * s2 / cosSqAlpha : 0;
      const c = F / 16 * cosSqAlpha * (4 + F * (4 - 3 * cosSqAlpha)), before = lambda;
      lambda = across + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (cosMid + c * cosSigma * (2 * cosMid * cosMid - 1)));
      if (Math.abs(lambda - before) < 1e-12) break;
    }
    const [scale, bend] = series(cosSqAlpha);
    return B * scale * (sigma - bent(bend, sinSigma, cosSigma, cosMid));
  }
  /** Where one comes from a point, walking metres at a bearing (degrees clockwise from north; Vincenty's direct). */
  function destination(from, bearing, metres) {
    const u = reduced(from[1]), a = bearing * RAD, su = Math.sin(u), cu = Math.cos(u), sa = Math.sin(a), ca = Math.cos(a);
    const start = Math.atan2(Math.tan(u), ca), sinAlpha = cu * sa, cosSqAlpha = 1 - sinAlpha * sinAlpha;
    const [scale, bend] = series(cosSqAlpha);
    let sigma = metres / (B * scale), cosMid;
    for (let round = 0; round < 200; round++) {
      cosMid = Math.cos(2 * start + sigma);
      const before = sigma;
      sigma = metres / (B * scale) + bent(bend, Math.sin(sigma), Math.cos(sigma), cosMid);
      if (Math.abs(sigma - before) < 1e-12) break;
    }
    const ss = Math.sin(sigma), cs = Math.cos(sigma);
    const lat = Math.atan2(su * cs + cu * ss * ca, (1 - F) * Math.hypot(sinAlpha, su * ss - cu * cs * ca));
    const lambda = Math.atan2(ss * sa, cu * cs - su * ss * ca), c = F / 16 * cosSqAlpha * (4 + F * (4 - 3 * cosSqAlpha));
    cosMid = Math.cos(2 * start + sigma);
    const lon = lambda - (1 - c) * F * sinAlpha * (sigma + c * ss * (cosMid + c * cs * (2 * cosMid * cosMid - 1)));
    return [from[0] + lon / RAD, lat / RAD];
  }
  const reduced = (lat) => Math.atan((1 - F) * Math.tan(lat * RAD));
  function series(cosSqAlpha) {
    const u = cosSqAlpha * (A * A - B * B) / (B * B);
    return [1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u))), u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))];
  }
  function bent(bend, sinSigma, cosSigma, cosMid) {
    const sq = cosMid * cosMid;
    return bend * sinSigma * (cosMid + bend / 4 * (cosSigma * (2 * sq - 1) - bend / 6 * cosMid * (4 * sinSigma * sinSigma - 3) * (4 * sq - 3)));
  }

  /** Area of a ring in square metres. Its sides are straight in longitude and latitude, as the server takes them. */
  function area(ring) {
    let sum = 0;
    const base = ring.length ? zone(ring[0][1]) : 0;
    ring.forEach(function (from, i) {
      const to = ring[(i + 1) % ring.length], steps = 8;
      let under = zone(from[1]) + zone(to[1]) - 2 * base;  // Simpson's rule along the side
      for (let k = 1; k < steps; k++) under += (k % 2 ? 4 : 2) * (zone(from[1] + (to[1] - from[1]) * k / steps) - base);
      sum += under / (3 * steps) * (to[0] - from[0]) * RAD;
    });
    return Math.abs(sum);
  }
  /** Area between the equator and a latitude, for one radian of longitude. */
  function zone(lat) {
    const s = Math.sin(lat * RAD);
    return A * A / 2 * (1 - E2) * (s / (1 - E2 * s * s) + Math.atanh(E * s) / E);
  }
  /** A circle as a ring of 64 points, each as far from the centre on the ground. */
  function circle(centre, metres) {
    return Array.from({ length: 64 }, (_, i) => destination(centre, -i * 360 / 64, metres));
  }

  /* --- paths ---------------------------------------------------------------------------------------------------------- */

  /** A path of [x, y] with at most ``most`` points (Douglas and Peucker); returns the indices that stay. */
  function thinned(path, most) {
    for (let tolerance = 0.5; ; tolerance *= 1.5) {
      const kept = peucker(path, tolerance);
      if (kept.length <= most) return kept;
    }
  }
  function peucker(path, tolerance) {
    const stays = new Uint8Array(path.length), open = [[0, path.length - 1]];
    stays[0] = stays[path.length - 1] = 1;
    while (open.length) {
      const [first, last] = open.pop();
      let far = tolerance, at = -1;
      for (let i = first + 1; i < last; i++) {
        const d = toSegment(path[i], path[first], path[last]);
        if (d > far) { far = d; at = i; }
      }
      if (at > 0) { stays[at] = 1; open.push([first, at], [at, last]); }
    }
    return [...path.keys()].filter((i) => stays[i]);
  }
  function toSegment(p, a, b) {
    const dx = b[0] - a[0], dy = b[1] - a[1], square = dx * dx + dy * dy;
    const t = square ? Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square)) : 0;
    return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
  }

  /* --- rings on the grid of six digits --------------------------------------------------------------------------------- */

  function snapped(ring) {
    const points = ring.map((p) => [Math.round(p[0] * GRID), Math.round(p[1] * GRID)]);
    return points.filter((p, i) => !same(p, points[(i + 1) % points.length]));
  }
  const unsnapped = (points) => points.map((p) => [p[0] / GRID, p[1] / GRID]);
  const same = (a, b) => a[0] === b[0] && a[1] === b[1];
  const turn = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  function twice(points) {
    return points.reduce(function (sum, p, i) {
      const q = points[(i + 1) % points.length], o = points[0];
      return sum + (p[0] - o[0]) * (q[1] - o[1]) - (q[0] - o[0]) * (p[1] - o[1]);
    }, 0);
  }
  /** Whether c, on the line through a and b, lies between them. */
  const between = (a, b, c) => Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1]);
  function meet(a, b, c, d) {
    const t = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
    if (t[0] * t[1] < 0 && t[2] * t[3] < 0) return true;
    return (t[0] === 0 && between(a, b, c)) || (t[1] === 0 && between(a, b, d)) || (t[2] === 0 && between(c, d, a)) || (t[3] === 0 && between(c, d, b));
  }
  function isSimple(points) {
    const n = points.length;
    if (n < 3 || twice(points) === 0) return false;
    for (let i = 0; i < n; i++) {
      const a = points[i], b = points[(i + 1) % n], c = points[(i + 2) % n];
      if (turn(a, b, c) === 0 && (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0) return false;  // back on itself
      for (let j = i + 2; j < n; j++) {
        if (i === 0 && j === n - 1) continue;
        if (meet(a, b, points[j], points[(j + 1) % n])) return false;
      }
    }
    return true;
  }
  /** The way around everything a ring encloses, cut where it meets itself into loops, the largest first. */
  function loops(points) {
    const edges = split(points), back = new Map();
    const at = (p) => p[0] + "," + p[1];
    for (const [a, b] of edges) {
      for (const [from, to] of [[a, b], [b, a]]) {
        if (!back.has(at(from))) back.set(at(from), new Map());
        back.get(at(from)).set(at(to), to);
      }
    }
    const nodes = edges.map((edge) => edge[0]);
    const start = nodes.reduce((a, b) => (b[0] < a[0] || (b[0] === a[0] && b[1] < a[1]) ? b : a));
    // Around from the leftmost point, outside always to the right: the sharpest right turn at each node.
    let here = start, behind = Math.PI, first = null;
    const way = [];
    for (let step = 0; step <= 2 * edges.length; step++) {
      const next = sharpest(here, behind, [...back.get(at(here)).values()]);
      if (first && same(here, start) && same(next, first)) break;
      first = first || next;
      way.push(here);
      behind = Math.atan2(here[1] - next[1], here[0] - next[0]);
      here = next;
    }
    const found = [], open = [];
    for (const p of [...way, start]) {
      const seen = open.findIndex((q) => same(p, q));
      if (seen >= 0) found.push(open.splice(seen));
      open.push(p);
    }
    return found.filter((loop) => loop.length > 2).sort((a, b) => Math.abs(twice(b)) - Math.abs(twice(a)));
  }
  function sharpest(here, behind, choices) {
    const round = (to) => {
      const by = (Math.atan2(to[1] - here[1], to[0] - here[0]) - behind) % (2 * Math.PI);
      return by <= 1e-12 ? by + 2 * Math.PI : by;  // straight back comes last
    };
    return choices.reduce((a, b) => (round(b) < round(a) ? b : a));
  }
  /** Sides of a ring cut wherever two of them meet. */
  function split(points) {
    const n = points.length, cuts = points.map((p, i) => [p, points[(i + 1) % n]]);
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const [a, b, c, d] = [points[i], points[(i + 1) % n], points[j], points[(j + 1) % n]];
        if (!meet(a, b, c, d)) continue;
        const across = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0]);
        if (across === 0) {
          for (const p of [c, d]) if (between(a, b, p)) cuts[i].push(p);
          for (const p of [a, b]) if (between(c, d, p)) cuts[j].push(p);
        } else {
          const t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / across;
          const p = [Math.round(a[0] + t * (b[0] - a[0])), Math.round(a[1] + t * (b[1] - a[1]))];
          cuts[i].push(p);
          cuts[j].push(p);
        }
      }
    }
    return cuts.flatMap(function (side, i) {
      const from = points[i], far = (p) => (p[0] - from[0]) ** 2 + (p[1] - from[1]) ** 2;
      side.sort((p, q) => far(p) - far(q));
      return side.slice(1).map((p, k) => [side[k], p]).filter(([p, q]) => !same(p, q));
    });
  }
  /** A ring to six digits that is a valid polygon, or null. Where it crosses itself, ``mend`` takes the way around
      it, if that loses no lobe of more than a tenth. */
  function valid(ring, mend) {
    const points = snapped(ring);
    if (isSimple(points)) return unsnapped(points);
    if (!mend || points.length < 3) return null;
    const [largest, second] = loops(points);
    if (!largest || (second && Math.abs(twice(second)) > SMALL_LOBE * Math.abs(twice(largest)))) return null;
    return isSimple(largest) ? unsnapped(largest) : null;
  }

  /* --- WKT ------------------------------------------------------------------------------------------------------------- */

  function wkt(ring) {
    return "POLYGON ((" + [...ring, ring[0]].map((p) => p.map((v) => +v.toFixed(6)).join(" ")).join(", ") + "))";
  }
  /** Polygons of a POLYGON or MULTIPOLYGON, each a list of rings (closed as they stand); null for anything else. */
  function parse(text) {
    const match = /^\s*(MULTI)?POLYGON\s*(\([\s\S]*\))\s*$/i.exec(text || "");
    if (!match || /[^-+\d.eE,()\s]/.test(match[2])) return null;
    const json = match[2].replace(/\(/g, "[").replace(/\)/g, "]")
      .replace(/([-+\d.eE]+)\s+([-+\d.eE]+)(\s+[-+\d.eE]+)*/g, (_, x, y) => "[" + Number(x) + "," + Number(y) + "]");
    try {
      const shape = match[1] ? JSON.parse(json) : [JSON.parse(json)];
      const whole = (ring) => ring.length > 3 && ring.every((p) => p.length === 2 && p.every(Number.isFinite));
      return shape.length && shape.every((rings) => rings.length && rings.every(whole)) ? shape : null;
    } catch { return null; }
  }

  /* --- in words -------------------------------------------------------------------------------------------------------- */

  const round = (value, digits) => value.toLocaleString("en-US", { maximumFractionDigits: digits });
  function lengthText(metres) {
    if (metres < 1000) return yanpan.say("{n} 米", { n: round(metres, metres < 100 ? 1 : 0) });
    return yanpan.say("{n} 公里", { n: round(metres / 1000, metres < 1e5 ? 2 : 1) });
  }
  function areaText(squareMetres) {
    if (squareMetres < 1e4) return yanpan.say("{n} 平方米", { n: round(squareMetres, 0) });
    return yanpan.say("{n} 平方公里", { n: round(squareMetres / 1e6, squareMetres < 1e6 ? 3 : squareMetres < 1e8 ? 2 : 1) });
  }

  yanpan.geometry = { length, destination, area, circle, thinned, valid, wkt, parse, lengthText, areaText };
})();
