/* Themes of the wall's map: what each asks, in turn, and whose turn it is. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const { settings } = window.yanpanScreen, NAMES = settings.themes;
  const query = new URLSearchParams(location.search);
  const area = query.get("area"), period = query.get("period"), asked = Number(query.get("rotate") || settings.rotate_s), every = Math.min(60, Math.max(15, asked)) * 1000;
  const still = asked === 0;
  const screen = (yanpan.screen = { theme: NAMES.includes(query.get("show")) ? query.get("show") : NAMES[0], ready: new Set(), frozen: still, ...window.yanpanScreen });
  let next = 0;

  const ask = (path, more) => yanpan.ask(path + "?" + new URLSearchParams({ ...(area ? { area } : {}), ...(period ? { period } : {}), ...more }));
  yanpan.askScreen = ask;
  function say(name, told) {
    for (const kind of [".theme-captions", ".map-body"]) {
      const place = document.querySelector(kind + " .theme-of[data-of=" + name + "]");
      if (kind === ".theme-captions") yanpan.render(place, told.caption);
      else if (place) yanpan.render(place, told.legend);
    }
  }
  /** Everything a theme needs, asked of one release; answers of another are refused, so that nothing is shown in part. */
  const ASKED = {
    hotspots: async function (release) {
      const told = await ask("/screen/theme", { name: "hotspots" });
      const kde = told.legend ? await yanpan.ask("/api/v1/hotspots?method=kde&" + screen.map.what) : { features: [], meta: { release } };
      return { told, kde, releases: [told.release, kde.meta.release] };
    },
    cover: async function (release) {
      const told = await ask("/screen/theme", { name: "cover" });
      const failing = await yanpan.ask("/api/v1/features/rule_failure?" + screen.map.what);
      return { told, failing, releases: [told.release, failing.meta.release] };
    },
  };
  async function unitTheme(name, release) {
    const told = await ask("/screen/theme", { name: name });
    const list = told.level ? await yanpan.units.unitsOf(release, told.level) : null;
    return { told, list, releases: [told.release] };
  }
  const DRAWN = {
    hotspots: ({ told, kde }) => { yanpan.city.density(kde.features, told.marks); yanpan.render(document.getElementById("hotspot-list"), told.list); },
    grid: ({ told, list }, release) => yanpan.city.units("grid", decoded(told), list, release),
    change: ({ told, list }, release) => yanpan.city.units("change", decoded(told), list, release),
    disputes: ({ told, list }) => yanpan.city.rings("disputes", decoded(told), list),
    cover: ({ failing }, release) => yanpan.city.cover("cover", release, failing.features),
  };
  const decoded = (told) => yanpan.units.decode(told);
  function gathered(name, release) { return (ASKED[name] || ((r) => unitTheme(name, r)))(release); }

  /** Ask all themes of a release, the one that is seen first; whole or not at all, but for ``each``, which is handed every
      one as it comes: for a wall that has nothing to show yet. */
  screen.gather = async function (release, each) {
    const order = [screen.theme, ...NAMES.filter((name) => name !== screen.theme)], found = {};
    for (const name of order) {
      found[name] = await gathered(name, release);
      if (found[name].releases.some((one) => one !== release)) throw new Error("release");
      if (each) each({ [name]: found[name] });
    }
    return found;
  };
  screen.draw = function (found, release) {
    for (const name of NAMES) {
      if (!found[name]) continue;
      say(name, found[name].told);
      if (found[name].list === null) yanpan.city.drop(name);  // nothing of this theme in the release
      else DRAWN[name](found[name], release);
      screen.ready.add(name);
    }
    show(screen.theme);
    yanpan.fitTexts();
  };

  function show(name) {
    screen.theme = name;
    document.documentElement.dataset.mapTheme = name;
    for (const one of document.querySelectorAll(".theme-of")) one.classList.toggle("on", one.dataset.of === name);
    for (const tab of document.querySelectorAll(".theme-tab")) {
      tab.classList.toggle("on", tab.dataset.themeName === name);
      tab.setAttribute("aria-selected", String(tab.dataset.themeName === name));
    }
    yanpan.city.show(name);
  }
  function step(by) {
    const shown = NAMES.filter((name) => screen.ready.has(name));
    if (shown.length > 1) show(shown[(shown.indexOf(screen.theme) + by + shown.length) % shown.length]);
    again();
  }
  function again() {
    clearTimeout(next);
    if (!screen.frozen) next = setTimeout(() => step(1), every);
  }
  screen.show = function (name) { show(name); again(); };
  screen.step = step;
  /** Hold the picture for a reason (the hand, a touch, an open area); it moves again when none is left. */
  const reasons = new Set(still ? ["address"] : []);
  screen.freeze = function (on, why) {
    if (on) reasons.add(why); else reasons.delete(why);
    screen.frozen = reasons.size > 0;
    document.documentElement.toggleAttribute("data-frozen", reasons.has("hand"));
    again();
  };
  screen.turnFreeze = () => screen.freeze(!reasons.has("hand"), "hand");

  document.addEventListener("click", function (event) {
    const tab = event.target.closest && event.target.closest(".theme-tab");
    if (tab && screen.ready.has(tab.dataset.themeName)) screen.show(tab.dataset.themeName);
  });
  screen.start = again;
})();
