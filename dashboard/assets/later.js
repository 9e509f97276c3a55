/* What needs a heavy script comes after the map: the trend, whose script keeps the browser busy for a second the first
   time, and the drawer's table. The layout holds their places, a store what goes into them. */
(function () {
  "use strict";
  const IDS = { mapped: "workbench-mapped", trend: "workbench-trend" };
  const AT_LATEST_MS = 3000;  // without a map there is nothing to wait for
  const at = { told: false, here: false, figure: null };

  function tell() {
    if (at.told) return;
    at.told = true;
    window.dash_clientside.set_props(IDS.mapped, { data: true });
  }
  for (const name of ["yanpan:mapped", "yanpan:cleared"]) document.addEventListener(name, () => setTimeout(tell));
  document.addEventListener("yanpan:focus", () => setTimeout(tell, AT_LATEST_MS), { once: true });

  window.dash_clientside = window.dash_clientside || {};
  Object.assign((window.dash_clientside.workbench = window.dash_clientside.workbench || {}), {
    /** The map stands: put trend and table into their places. */
    mount: function (mapped, later) {
      if (!mapped) return [window.dash_clientside.no_update, window.dash_clientside.no_update];
      at.here = true;
      const { trend, table } = later;
      return [{ ...trend, props: { ...trend.props, figure: at.figure } }, table];
    },

    /** The figure of the trend has come. */
    trend: function (figure) {
      at.figure = figure;
      if (at.here) window.dash_clientside.set_props(IDS.trend, { figure: figure });
    },
  });
})();
