/* Free dates, of the window and of the compared one, both ends included: the browser's own date fields, in its own
   language. */
(function () {
  "use strict";
  const yanpan = (window.yanpan = window.yanpan || {});
  const DAY = 86400000;
  const RANGES = [
    { holder: "date-range", button: "custom-dates", labels: ["起始日期（含）", "结束日期（含）"], go: (from, to) => ({ from: from, to: to }) },
    { holder: "compare-range", button: "custom-compare", labels: ["对比起始日期（含）", "对比结束日期（含）"], go: (from, to) => ({ compare: from + ".." + to }) },
  ];
  const shifted = (day, days) => new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);

  function change(holder, field, range) {
    const [first, final] = holder.children;
    if (!field.value) { field.setAttribute("aria-invalid", "true"); return; }
    if (!first.value || !final.value || first.value > final.value) {  // the other end follows, as far off as it was
      const days = (Date.parse(holder.dataset.last) - Date.parse(holder.dataset.from)) / DAY || 0;
      if (field === first) final.value = shifted(field.value, days); else first.value = shifted(field.value, -days);
    }
    yanpan.go(range.go(first.value, shifted(final.value, 1)));
  }
  function fill(holder, range) {
    if (!holder.firstChild) {
      ["from", "last"].forEach(function (name, i) {
        const field = document.createElement("input");
        field.type = "date";
        field.name = name;
        field.setAttribute("aria-label", yanpan.say(range.labels[i]));
        field.addEventListener("change", () => change(holder, field, range));
        holder.appendChild(field);
      });
    }
    const said = holder.dataset.from + holder.dataset.last;
    if (holder.said === said) return;  // a redraw of the same window must not take back what is being typed
    holder.said = said;
    for (const field of holder.children) {
      field.value = holder.dataset[field.name] || "";
      field.removeAttribute("aria-invalid");
    }
  }
  document.addEventListener("click", function (event) {
    const range = RANGES.find((one) => event.target.closest && event.target.closest("#" + one.button));
    if (!range) return;
    const holder = document.getElementById(range.holder), closed = holder.classList.toggle("closed");
    document.getElementById(range.button).setAttribute("aria-expanded", String(!closed));
    if (!closed) holder.querySelector("input").focus();
  });
  document.addEventListener("yanpan:drawn", function () {
    for (const range of RANGES) {
      const holder = document.getElementById(range.holder);
      if (holder) fill(holder, range);
    }
  });
})();
