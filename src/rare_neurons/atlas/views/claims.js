const facts = () => atlas.facts("claims"); // of the chosen panel
const GREY = "#8c8c8c";
const SHAPES = { run: "circle", control: "square", seeds: "diamond", beyond_control: "triangle-up", specific: "cross" };

const known = (slot, state) => facts().known[state.subject]?.[facts().questions[slot].question];

function rowsOf(slot, state) {
  const colour = atlas.colour(facts().questions[slot].stratum);
  const kinds = { run: colour, control: GREY };
  return known(slot, state).rows.filter((one) => state.control || one.kind !== "control").map((one) => {
    const own = kinds[one.kind] ?? "#111111";
    return { ...one, colour: own, fill: one.holds ? own : "#ffffff", shape: SHAPES[one.kind] };
  });
}

const panels = (slot, state) => [...new Set(rowsOf(slot, state).map((one) => one.panel))];
const title = (panel, state) => panel === "factor"
  ? "factor, of the first value (beyond the controls: of theirs)" : panel === "share" ? "share of the growth" : `change since the first checkpoint${panel && `, ${panel}`}`;

atlas.view("claims", {
  shapes: ["subject", "control"],
  resizes: true,
  async rows(slot, state) {
    if (!known(slot, state)) return `Not asked of ${state.subject}.`;
    const rows = rowsOf(slot, state);
    if (!rows.length) return "No change could be estimated.";
    return Object.fromEntries(panels(slot, state).map((panel, i) => ["rows" + i, rows.filter((one) => one.panel === panel)]));
  },
  shape(slot, spec, state, width) {
    const { layer, $schema } = spec, names = atlas.enlarged(150);
    const charts = panels(slot, state).map((panel, i) => {
      const layers = JSON.parse(JSON.stringify(layer));
      for (const one of layers) {
        one.data = { name: "rows" + i };
        if (one.encoding.y) {
          one.encoding.y.scale = { paddingOuter: 0.3 };
          one.encoding.y.axis = { ...one.encoding.y.axis, ...Object.fromEntries(["labelLimit", "minExtent", "maxExtent"].map((key) => [key, names])) };
        }
        one.encoding.x.title = title(panel, state);
        if (panel !== "factor") one.encoding.x.scale = { ...one.encoding.x.scale, nice: false, padding: 12 };
        if (panel === "factor") one.encoding.x.scale = { type: "log", nice: false, padding: 12 };
      }
      const count = rowsOf(slot, state).filter((one) => one.panel === panel).length;
      return { width: Math.max(200, width - names - 30), height: atlas.enlarged(17) * count + 6, layer: layers };
    });
    return { $schema, vconcat: charts, spacing: 6, resolve: { scale: { x: "independent", y: "independent" } } };
  },
  note(slot, state) {
    const some = known(slot, state);
    return some ? some.words.map(({ mark, tier, p, why }) => [mark, tier, p && `p ${p.startsWith("<") ? p : "= " + p}`, why && `(${why})`]
      .filter(Boolean).join(" ")).join(" · ") : "";
  },
});
