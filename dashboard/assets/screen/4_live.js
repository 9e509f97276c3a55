/* What keeps the wall alive: the clock, the first drawing, a new release, and saying so when the server is gone. */
(function () {
  "use strict";
  const yanpan = window.yanpan, screen = yanpan.screen;
  const POLL_MS = 10000, RETRY_MS = [1000, 2000, 5000, 10000], PER_PAGE = { 3: 3, 4: 4, 5: 5 }, PAGE_MS = 8000;
  const at = { tries: 0, since: null, wanted: false, busy: false, retry: 0, page: 0 };
  const two = (n) => String(n).padStart(2, "0");

  function clock() {
    const now = new Date(), time = document.querySelector("#clock .time"), day = document.querySelector("#clock .day");
    yanpan.render(time, ["", {}, [two(now.getHours()) + ":" + two(now.getMinutes()), ["small", {}, [":" + two(now.getSeconds())]]]]);
    const week = yanpan.say("周{days}", { days: yanpan.say("一二三四五六日"[(now.getDay() + 6) % 7]) });
    yanpan.render(day, yanpan.say("{m}月{d}日", { m: now.getMonth() + 1, d: now.getDate(), mon: yanpan.say(now.getMonth() + 1 + "月") }) + " " + week);
    setTimeout(clock, 1000 - now.getMilliseconds());
  }

  function write(parts) {
    for (const name in parts) {
      const target = document.getElementById(name);
      if (target) yanpan.render(target, parts[name]);
    }
    alerts();
    yanpan.fitTexts();
  }
  /** What every theme stands on: the land of a level, and the units whose names are written over it. */
  async function ground(release) {
    const { land, names } = screen.map;
    if (!land) return null;
    const list = await yanpan.units.unitsOf(release, land), named = names && await yanpan.units.unitsOf(release, names.level);
    return { land, list, named: named ? names.codes.map((code) => named.codes.indexOf(code)).map((i) => ({ name: named.names[i], lat: named.lat[i], lon: named.lon[i] })) : [] };
  }
  function draw(found) {
    const { release } = screen;
    if (found.ground) {
      const { land, list, named } = found.ground;
      yanpan.city.ground(release, land, list);
      yanpan.city.named(named.filter((one) => one.lat !== null));
    }
    yanpan.city.fit();
    screen.draw(found.themes, release);
  }

  /* First what is seen at once, then what takes seconds; the page is whole before anything is exchanged later. */
  async function begin() {
    const release = screen.release;
    draw({ ground: await ground(release), themes: {} });
    await screen.gather(release, (one) => screen.draw(one, release));
    const slow = await yanpan.askScreen("/screen/slow");
    if (slow.release !== release) throw new Error("release");
    write(slow.parts);
    document.documentElement.dataset.whole = "";
  }

  /** A new release: everything is asked before anything changes. */
  async function exchange(state) {
    const release = state.release, before = screen.map, found = {};
    screen.map = state.map;
    try {
      found.ground = await ground(release);
      found.themes = await screen.gather(release);
      const slow = await yanpan.askScreen("/screen/slow");
      if (slow.release !== release) throw new Error("release");
      found.parts = { ...state.parts, ...slow.parts };
    } catch (fault) {
      screen.map = before;
      throw fault;
    }
    screen.release = release;
    document.dispatchEvent(new CustomEvent("yanpan:exchanged"));
    write(found.parts);
    draw(found);
    document.documentElement.dataset.release = release;
    document.documentElement.dataset.whole = "";
  }

  /** One refresh at a time, and one retry waiting at most. */
  function later(ms) {
    clearTimeout(at.retry);
    at.retry = setTimeout(refresh, ms);
  }
  async function refresh() {
    if (at.busy) return;
    at.busy = true;
    at.wanted = false;
    try {
      const state = await yanpan.askScreen("/screen/state");
      if (state.release !== screen.release) await exchange(state);
      else if (!("whole" in document.documentElement.dataset)) await begin();
      else write({ age: state.parts.age, sources: state.parts.sources, alerts: state.parts.alerts, supervised: state.parts.supervised });
    } catch (fault) {
      later(fault.message === "release" ? 300 : 3000);  // exchanged once more meanwhile, or the server is away
    } finally {
      at.busy = false;
      if (at.wanted) later(300);
    }
  }

  /* --- the line to the server ----------------------------------------------------------------------------------------- */

  function lost() {
    if (!at.since) at.since = new Date();
    const since = two(at.since.getHours()) + ":" + two(at.since.getMinutes()) + ":" + two(at.since.getSeconds());
    document.getElementById("offline").textContent = "✕ " + yanpan.say("连接中断 自 {t} 起", { t: since });
    document.documentElement.dataset.offline = "";
  }
  function found() {
    at.since = null;
    document.getElementById("offline").textContent = "";
    delete document.documentElement.dataset.offline;
  }
  function told(message) {
    found();
    const changed = at.ledger !== undefined && message.ledger !== at.ledger;
    at.ledger = message.ledger;
    if (!changed && (!message.release || message.release === screen.release)) return;
    at.wanted = at.busy;  // one that is under way may have asked before
    refresh();
  }
  function connect() {
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/live");
    let heard = Date.now();
    const watch = setInterval(() => { if (Date.now() - heard > 3 * POLL_MS) socket.close(); }, POLL_MS);
    socket.onmessage = (event) => { heard = Date.now(); at.tries = 0; told(JSON.parse(event.data)); };
    socket.onclose = function () {
      clearInterval(watch);
      poll().finally(() => setTimeout(connect, RETRY_MS[Math.min(at.tries++, RETRY_MS.length - 1)]));
    };
  }
  /* Without a socket the same is asked. */
  function poll() { return yanpan.ask("/live").then(told, lost); }

  /* --- alerts: a few at a time ---------------------------------------------------------------------------------------- */

  function alerts() {
    const lines = [...document.querySelectorAll(".alert")], per = PER_PAGE[yanpan.wall.columns], pages = Math.max(1, Math.ceil(lines.length / per));
    at.page %= pages;
    lines.forEach((line, i) => { line.hidden = Math.floor(i / per) !== at.page; });
    const of = document.querySelector(".page-of");
    if (of) of.textContent = pages > 1 ? yanpan.say("{a}—{b}条", { a: at.page * per + 1, b: Math.min(lines.length, (at.page + 1) * per) }) : "";
    yanpan.fitTexts(document.getElementById("p-alerts"));
  }
  setInterval(function () { if (!screen.frozen) { at.page++; alerts(); } }, PAGE_MS);
  document.addEventListener("yanpan:arranged", alerts);
  setInterval(refresh, 60000);  // ages grow even where nothing is new

  clock();
  alerts();
  yanpan.city.build();
  at.busy = true;
  begin().catch(() => later(1000)).finally(function () { at.busy = false; screen.start(); connect(); });
})();
