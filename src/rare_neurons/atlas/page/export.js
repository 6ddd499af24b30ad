// What a view draws, to be taken along: one SVG with all its charts, and the rows that they draw as CSV.
(() => {
  "use strict";
  const GAP = 24, HEAD = 20, LETTER = 7.5; // pixels

  const textOf = (value) => (value === null || value === undefined || Number.isNaN(value) ? "" : String(value));
  const cell = (value) => {
    const text = value instanceof Date ? value.toISOString() : textOf(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  // Rows of all charts: which chart and which data of it, then the columns in the order of their first appearance.
  // What begins with an underscore is about the drawing alone.
  function csv(view) {
    const lines = [];
    for (const { slot } of own(view)) {
      for (const [data, rows] of Object.entries(atlas.rowsOf(view, slot) ?? {})) {
        for (const row of rows) lines.push({ chart: slot, data, ...row });
      }
    }
    const columns = [...new Set(lines.flatMap((row) => Object.keys(row)))].filter((name) => !name.startsWith("_"));
    return [columns, ...lines.map((row) => columns.map((name) => row[name]))]
      .map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  async function svg(view) {
    const parser = new DOMParser(), parts = [];
    for (const { slot, element } of own(view)) {
      const drawn = atlas.drawn(view, slot);
      if (!drawn || element.querySelector(".chart").hidden) continue;
      const root = parser.parseFromString(await drawn.toSVG(), "image/svg+xml").documentElement;
      parts.push({ root, title: element.querySelector(".head").textContent });
    }
    const name = "http://www.w3.org/2000/svg", all = document.implementation.createDocument(name, "svg", null);
    let height = 0, width = 0;
    for (const { root, title } of parts) {
      const words = all.createElementNS(name, "text");
      words.setAttribute("y", height + 14);
      words.setAttribute("font-family", "sans-serif");
      words.setAttribute("font-size", "13");
      words.textContent = title;
      root.setAttribute("y", height + HEAD);
      all.documentElement.append(words, all.importNode(root, true));
      width = Math.max(width, Number(root.getAttribute("width")), LETTER * title.length);
      height += Number(root.getAttribute("height")) + HEAD + GAP;
    }
    for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
      all.documentElement.setAttribute(key, value);
    }
    return new XMLSerializer().serializeToString(all);
  }

  const own = (view) => atlas.slots().filter((one) => one.view === view);
  const named = (view, kind) => {
    const { panel, model, step } = atlas.state;
    return `${[view, atlas.panels().length > 1 ? panel : "", model, step === null ? "" : `step${step}`].filter(Boolean).join("-")}.${kind}`;
  };

  function save(text, name, type) {
    const link = Object.assign(document.createElement("a"), { download: name });
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.click();
    // A busy browser may take a while to begin reading it.
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  for (const section of document.querySelectorAll("section.view")) {
    const view = section.id.replace("view-", ""), title = section.querySelector("h3").firstChild.textContent;
    if (!section.querySelector("figure.slot")) continue;
    const button = (kind, words, make, type) => {
      const one = document.createElement("button");
      Object.assign(one, { type: "button", textContent: kind.toUpperCase(), title: words, className: `save-${kind}` });
      one.setAttribute("aria-label", `${words}: ${title}`);
      one.addEventListener("click", async () => {
        await atlas.see(view);
        save(await make(view), named(view, kind), type);
      });
      section.querySelector(".tools").append(one, " ");
    };
    button("svg", "save the charts", svg, "image/svg+xml");
    button("csv", "save the rows that are drawn", csv, "text/csv");
  }
})();
