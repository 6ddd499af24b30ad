// Charts without a mouse: tab to a chart, arrow keys go through its marks, Enter chooses one.
(() => {
  "use strict";
  const NEXT = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  // Marks that answer a click, as their cursor says, in the order of drawing; where none says so, points and cells.
  function marks(chart) {
    const all = [...chart.querySelectorAll("svg .role-mark > path")];
    const clicked = all.filter((one) => one.__data__?.cursor === "pointer");
    return clicked.length ? clicked : all.filter((one) => one.closest(".mark-symbol, .mark-rect"));
  }

  // Marks are made anew when rows change: what is kept is the place among them.
  function mark(chart, all, place) {
    const one = all[place];
    chart.querySelectorAll(".at").forEach((other) => other.classList.remove("at"));
    one?.classList.add("at");
    chart.place = one ? place : -1;
    chart.querySelector(".said").textContent = one?.getAttribute("aria-label") ?? "";
  }

  function go(chart, event) {
    const all = marks(chart), now = chart.place ?? -1;
    if (event.key in NEXT && all.length) {
      const next = now < 0 && NEXT[event.key] < 0 ? all.length - 1 : now + NEXT[event.key];
      mark(chart, all, (next + all.length) % all.length);
    } else if ((event.key === "Enter" || event.key === " ") && now >= 0 && now < all.length) {
      const box = all[now].getBoundingClientRect();
      const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, view: window };
      all[now].dispatchEvent(new MouseEvent("click", at));
    } else if (event.key === "Escape") {
      mark(chart, all, -1);
    } else return;
    event.preventDefault();
  }

  atlas.drew = ({ element }) => {
    const chart = element.querySelector(".chart"), title = element.querySelector(".head").textContent;
    if (!marks(chart).length) return;
    chart.tabIndex = 0;
    chart.setAttribute("role", "application");
    chart.setAttribute("aria-label", `${title || "chart"}: arrow keys go through its marks, Enter chooses`);
    if (!chart.querySelector(".said")) {
      const said = Object.assign(document.createElement("output"), { className: "said" });
      chart.append(said);
    }
    if (!chart.listens) chart.addEventListener("keydown", (event) => go(chart, event));
    chart.listens = true;
  };
})();
