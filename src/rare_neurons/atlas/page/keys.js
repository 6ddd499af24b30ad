// Charts without a mouse: tab to a chart, arrow keys go through its marks, Enter chooses one.
(() => {
  "use strict";
  const NEXT = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  // Marks that answer a click, as their cursor says, in the order of drawing; where none says so, points and cells.
  function shapes(chart) {
    const all = [...chart.querySelectorAll("svg .role-mark > path")];
    const clicked = all.filter((one) => one.__data__?.cursor === "pointer");
    return clicked.length ? clicked : all.filter((one) => one.closest(".mark-symbol, .mark-rect"));
  }

  // What keys go through: `said`, what is read out; `show` and `choose`, what is done with it. On a canvas nothing can be
  // marked: there the view names its rows, and a ring lies over the picture.
  function marks(chart) {
    const { view, slot } = chart.closest("figure.slot").dataset;
    const rows = chart.querySelector("canvas") ? atlas.walk(view, slot) : null;
    if (rows) return rows.map((row) => ({ said: row.said, show: () => circle(chart, atlas.drawn(view, slot), row), choose: () => atlas.set(row.change) }));
    return shapes(chart).map((one) => ({ said: one.getAttribute("aria-label"), show: () => one.classList.add("at"), choose: () => click(one) }));
  }

  function click(one) {
    const box = one.getBoundingClientRect();
    const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, view: window };
    one.dispatchEvent(new MouseEvent("click", at));
  }

  function circle(chart, view, { x, y }) {
    const canvas = chart.querySelector("canvas").getBoundingClientRect(), box = chart.getBoundingClientRect();
    const [left, top] = view.origin(), room = view.padding();
    const ring = Object.assign(document.createElement("div"), { className: "ring" });
    ring.style.left = `${canvas.x - box.x + Math.max(0, left) + room.left + view.scale("x")(x)}px`;
    ring.style.top = `${canvas.y - box.y + Math.max(0, top) + room.top + view.scale("y")(y)}px`;
    chart.append(ring);
  }

  // Marks are made anew when rows change: what is kept is the place among them.
  function mark(chart, all, place) {
    const one = all[place];
    chart.querySelectorAll(".at").forEach((other) => other.classList.remove("at"));
    chart.querySelectorAll(".ring").forEach((other) => other.remove());
    one?.show();
    chart.place = one ? place : -1;
    chart.querySelector(".said").textContent = one?.said ?? "";
  }

  function go(chart, event) {
    const all = marks(chart), now = chart.place ?? -1;
    if (event.key in NEXT && all.length) {
      const next = now < 0 && NEXT[event.key] < 0 ? all.length - 1 : now + NEXT[event.key];
      mark(chart, all, (next + all.length) % all.length);
    } else if ((event.key === "Home" || event.key === "End") && all.length) {
      mark(chart, all, event.key === "Home" ? 0 : all.length - 1);
    } else if ((event.key === "Enter" || event.key === " ") && now >= 0 && now < all.length) {
      all[now].choose();
    } else if (event.key === "Escape") {
      mark(chart, all, -1);
    } else return;
    event.preventDefault();
  }

  // After a chart is drawn, with other rows or anew: what is marked moves with it while it is in use.
  atlas.drew = ({ element }) => {
    const chart = element.querySelector(".chart"), title = element.querySelector(".head").textContent, all = marks(chart);
    if (!all.length) return;
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    chart.setAttribute("aria-label", `${title || "chart"}: arrow keys go through its marks, Enter chooses`);
    if (!chart.querySelector(".said")) chart.append(Object.assign(document.createElement("output"), { className: "said" }));
    if (!chart.listens) chart.addEventListener("keydown", (event) => go(chart, event));
    chart.listens = true;
    if (chart.place >= 0) mark(chart, all, document.activeElement === chart ? Math.min(chart.place, all.length - 1) : -1);
  };
})();
