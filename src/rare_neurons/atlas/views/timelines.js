const facts = () => atlas.facts("timelines"); // of the chosen panel
const GREY = "#8c8c8c", DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]], ROW = 8;

// Rows of a panel's table by subject, question and run, once.
const tables = new Map();
async function read(panel) {
  if (tables.has(panel)) return tables.get(panel);
  const { subject, question, run } = facts().codes;
  const [places, steps, values] = await Promise.all(["places", "steps", "values"].map((one) => atlas.array("timelines/" + one)));
  const table = {};
  for (let i = 0; i < steps.shape[0]; i++) {
    const key = [subject[places.at(0, i)], question[places.at(1, i)], run[places.at(2, i)]].join("\n");
    const [value, low, high] = values.row(i);
    (table[key] ??= []).push({ step: steps.at(i), value, low, high });
  }
  tables.set(panel, table);
  return table;
}

// Colour and dash of every run that is drawn.
function looks(slot) {
  const runs = atlas.models(), own = new Set(atlas.subject().runs);
  const colour = atlas.colour(facts().questions[slot].stratum);
  const dash = (run) => DASHES[(own.has(run) ? atlas.subject().runs : atlas.subject().controls).indexOf(run) % DASHES.length];
  const all = atlas.state.subject;
  const names = runs.includes(all) ? runs : [...runs, all];
  return { names, colours: names.map((run) => (own.has(run) || run === all ? colour : GREY)), dashes: names.map((run) => (run === all ? [1, 0] : dash(run))) };
}

const shown = (slot, state) => facts().known[state.subject]?.[facts().questions[slot].question];

function dates(slot, state) {
  const roles = ["all", "run", "control"];
  const some = shown(slot, state).dates.filter((one) => one.role === "all" || atlas.models().includes(one.run));
  some.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  const steps = (run) => atlas.tree.models[run in atlas.tree.models ? run : atlas.subject().runs[0]].steps;
  return some.map((one, place) => {
    const model = one.run in atlas.tree.models ? one.run : atlas.subject().runs[0];
    const at = (step) => atlas.x(model, step);
    return { run: one.run, broad: one.role === "all", width: one.role === "all" ? 5 : 2.2, place: facts().height + ROW * (place + 1),
      start: at(one.after ?? steps(model)[0]), end: at(one.by ?? steps(model).at(-1)),
      words: `after step ${one.after ?? "–"}, by step ${one.by ?? "never certain"}` };
  });
}

atlas.view("timelines", {
  uses: ["step", "model"],
  shapes: ["subject", "axis", "scale", "control"],
  async rows(slot, state) {
    const known = shown(slot, state);
    if (!known) return `Not asked of ${state.subject}.`;
    const why = atlas.xMissing(atlas.subject().runs[0]);
    if (why) return why;
    const all = await read(state.panel);
    const curves = [], moves = [];
    for (const run of atlas.models()) {
      const mine = (all[[state.subject, facts().questions[slot].question, run].join("\n")] ?? [])
        .map((row) => ({ ...row, run, x: atlas.x(run, row.step) })).filter((row) => row.x !== null);
      curves.push(...mine);
      known.turns.filter((one) => one.run === run).forEach((one, move) => {
        const part = mine.filter((row) => row.step >= one.start && row.step <= one.end);
        part.forEach((row, i) => moves.push({ ...row, move, last: i === part.length - 1, sign: one.change > 0 ? "triangle-up" : "triangle-down" }));
      });
    }
    if (!curves.length) return "No checkpoint could be measured.";
    const marks = atlas.models().flatMap((run) => {
      const { steps, quarantined } = atlas.tree.models[run];
      return steps.filter((_, i) => quarantined[i]).map((step) => ({ x: atlas.x(run, step), dash: [2, 3], colour: "#777", what: `${run} step ${step}: quarantined` }));
    }).filter((row) => row.x !== null);
    const now = atlas.x(state.model, state.step);
    if (now !== null) marks.push({ x: now, dash: [1, 0], colour: "#e69f00", what: `chosen: step ${state.step}` });
    return { curves, moves, dates: dates(slot, state), marks };
  },
  shape(slot, spec, state, width) {
    const { names, colours, dashes } = looks(slot);
    const some = shown(slot, state) ? dates(slot, state) : [];
    const room = ROW * (some.length + 1.5);
    const axis = atlas.xAxis();
    const legend = { columns: Math.max(1, Math.floor(width / atlas.enlarged(130))), symbolType: "stroke", symbolOpacity: 1, values: atlas.models() };
    // Without any row a layer has no extent, of which Vega warns.
    const empty = [some.length ? null : "dates", some.some((one) => one.broad) ? null : "broad",
      shown(slot, state)?.turns.length ? null : "moves"];
    spec.layer = spec.layer.filter((one) => !empty.includes(one.data.name) && !(empty.includes("broad") && one.mark.type === "rect"));
    for (const { encoding } of spec.layer) {
      const { field, ...rest } = axis;
      Object.assign(encoding.x, rest, { axis: { ...axis.axis, offset: room, grid: false } });
      if (encoding.color.field === "run")
        Object.assign(encoding.color, { scale: { domain: names, range: colours }, legend });
      if (encoding.strokeDash?.field === "run")
        Object.assign(encoding.strokeDash, { scale: { domain: names, range: dashes }, legend });
      if (encoding.y?.field === "value") encoding.y.title = facts().questions[slot].unit;
    }
    return spec;
  },
  note: (slot, state) => shown(slot, state)?.tiers ?? "",
  ready(slot, view) {
    view.addEventListener("click", (event, item) => {
      const { run, step } = item?.datum ?? {};
      if (step !== undefined && run in atlas.tree.models) atlas.set({ model: run, step });
    });
  },
});
