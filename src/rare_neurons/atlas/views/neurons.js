const facts = () => atlas.facts("neurons"); // of the chosen panel
const BEYOND = 3; // standard errors
const LIMITS = new Map();

const steps = (state) => facts().steps[state.model] ?? [];
// The step that the page carries nearest to the chosen one.
const place = (state) => steps(state).reduce((best, step, i) =>
  Math.abs(step - state.step) < Math.abs(steps(state)[best] - state.step) ? i : best, 0);

async function arrays(state) {
  const [values, errors] = await Promise.all(
    [state.part, state.part + "_se"].map((name) => atlas.array(`neurons/${name}:${state.model}`)));
  return { values, errors };
}

// Largest influence and middle error of each stratum over all steps, so that axes stand still while the step moves.
function limits(state, { values, errors }) {
  const key = [state.panel, state.model, state.part].join("\n");
  if (LIMITS.has(key)) return LIMITS.get(key);
  const found = facts().strata.map((_, s) => {
    let largest = 0;
    const middle = [];
    for (let k = 0; k < values.shape[0]; k++) {
      for (const value of values.row(k, s)) if (Math.abs(value) > largest) largest = Math.abs(value);
      const known = errors.row(k, s).filter((one) => one > 0).sort();
      if (known.length) middle.push(known[known.length >> 1]);
    }
    return { largest, error: middle.length ? middle.sort((a, b) => a - b)[middle.length >> 1] : 0 };
  });
  LIMITS.set(key, found);
  return found;
}

function ranked(values) {
  return Array.from(values.keys()).filter((i) => !Number.isNaN(values[i])).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
}

// Complementary error function (Abramowitz and Stegun 7.1.26, to 2e-7): the share of normal noise beyond z is erfc(z / sqrt 2).
function erfc(z) {
  const t = 1 / (1 + 0.3275911 * z);
  return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-z * z);
}

// What ranks normal noise of these errors would have on average: at each size, how many neurons would exceed it.
function noise(errors, floor) {
  const known = Array.from(errors).filter((one) => one > 0);
  const rows = [];
  const top = 5 * Math.max(0, ...known);
  for (let i = 0; i <= 60; i++) {
    const size = floor * (top / floor) ** (i / 60);
    const rank = known.reduce((sum, se) => sum + erfc(size / se / Math.SQRT2), 0);
    if (rank >= 0.7) rows.push({ rank: Math.max(rank, 1), size });
  }
  return rows;
}

const strongest = (values) => ranked(values)[0] ?? null;
function chosen(state, { values }) {
  const n = values.shape[2];
  if (state.neuron !== null && state.neuron < n) return state.neuron;
  return strongest(values.row(place(state), facts().strata.indexOf(state.stratum)));
}

// Ranks that can be told apart on the axis: all of the first, then fewer and fewer.
function kept(rank, n, scale) {
  if (rank <= 150) return true;
  return scale === "log" ? Math.round(120 * Math.log(rank)) !== Math.round(120 * Math.log(rank - 1)) : rank % Math.ceil(n / 800) === 0;
}

function rankRows(state, both) {
  const { values, errors } = both, k = place(state), points = [], floors = [], marks = [];
  const neuron = chosen(state, both), known = limits(state, both);
  const floor = Math.min(...known.map((one) => one.error).filter((one) => one > 0)) / 10;
  facts().strata.forEach((stratum, s) => {
    const row = values.row(k, s), se = errors.row(k, s), order = ranked(row);
    order.forEach((i, place) => {
      const one = { neuron: i, stratum, rank: place + 1, size: Math.abs(row[i]), value: row[i], se: se[i] };
      if (i === neuron && one.size > 0) marks.push(one);
      if (one.size > (state.scale === "log" ? floor : 0) && kept(place + 1, order.length, state.scale)) points.push(one);
    });
    floors.push(...noise(se, floor).map((one) => ({ ...one, stratum })));
  });
  if (!points.length) return `Nothing was measured at step ${steps(state)[k]}.`;
  return { points, noise: floors, chosen: marks };
}

const against = (state) => (state.stratum === facts().strata[0] ? [facts().strata.at(-1), facts().strata[0]] : [facts().strata[0], state.stratum]);

function scatterRows(state, both) {
  if (facts().strata.length < 2) return "Only one stratum was measured.";
  const { values, errors } = both, k = place(state), [a, b] = against(state).map((one) => facts().strata.indexOf(one));
  const [x, y, sx, sy] = [values.row(k, a), values.row(k, b), errors.row(k, a), errors.row(k, b)];
  const neuron = chosen(state, both), points = [];
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]) || Number.isNaN(y[i])) continue;
    const beyond = [Math.abs(x[i]) > BEYOND * sx[i], Math.abs(y[i]) > BEYOND * sy[i]];
    const told = beyond[0] ? (beyond[1] ? "both" : facts().strata[a]) : beyond[1] ? facts().strata[b] : "neither";
    points.push({ neuron: i, x: x[i], y: y[i], told });
  }
  if (!points.length) return `Nothing was measured at step ${steps(state)[k]}.`;
  const middle = (some) => { const known = some.filter((one) => one > 0).sort(); return known[known.length >> 1] ?? 0; };
  const box = { x1: -BEYOND * middle(sx), x2: BEYOND * middle(sx), y1: -BEYOND * middle(sy), y2: BEYOND * middle(sy) };
  return { points, box: [box], chosen: points.filter((one) => one.neuron === neuron) };
}

function courseRows(state, both) {
  const why = atlas.xMissing(state.model);
  if (why) return why;
  const { values, errors } = both, neuron = chosen(state, both), lines = [];
  facts().strata.forEach((stratum, s) => steps(state).forEach((step, k) => {
    const value = values.at(k, s, neuron), se = errors.at(k, s, neuron), x = atlas.x(state.model, step);
    if (!Number.isNaN(value) && x !== null) lines.push({ neuron, step, stratum, x, value, se, low: value - se, high: value + se });
  }));
  if (!lines.length) return "Nothing was measured of this neuron.";
  const now = atlas.x(state.model, state.step);
  return { lines, now: now === null ? [] : [{ x: now }], zero: [{ value: 0 }] };
}

const ROWS = { rank: rankRows, scatter: scatterRows, course: courseRows };
const read = {}; // by slot, the arrays of the rows that were made last: a chart is shaped, and its note written, by the same

// The drawn rows in the order in which keys go through them: those of the chosen tokens first, by rank or by step.
function walk(slot, rows, state) {
  const number = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
  const first = (some) => [...some].sort((a, b) => (b.stratum === state.stratum) - (a.stratum === state.stratum));
  if (slot === "rank") return first(rows.points ?? []).map(({ neuron, rank, size, stratum, value, se }) => ({ x: rank, y: size, change: { neuron },
    said: `neuron ${neuron}; rank ${rank} on ${stratum} tokens; influence ${number(value)} ± ${number(se)} nats per token` }));
  if (slot === "scatter") return [...(rows.points ?? [])].sort((a, b) => Math.abs(b.y) - Math.abs(a.y)).map(({ neuron, x, y, told }) => ({ x, y,
    change: { neuron }, said: `neuron ${neuron}; ${against(state).map((stratum, i) => `${number(i ? y : x)} on ${stratum}`).join(", ")} tokens (nats per token); beyond noise on: ${told}` }));
  return first(rows.lines ?? []).map(({ x, value, neuron, step, stratum, se }) => ({ x, y: value, change: { neuron, step },
    said: `step ${step.toLocaleString("en")}; influence ${number(value)} ± ${number(se)} nats per token on ${stratum} tokens` }));
}

atlas.view("neurons", {
  uses: ["step", "neuron", "stratum"],
  shapes: ["model", "part", "scale", "axis", "stratum"],
  renderer: "canvas",
  async rows(slot, state) {
    if (!(state.model in facts().steps)) return `No influence of ${state.model} at this panel.`;
    read[slot] = await arrays(state);
    return ROWS[slot](state, read[slot]);
  },
  walk,
  shape(slot, spec, state) {
    const known = limits(state, read[slot]), words = state.part === "within" ? "within-stratum influence" : "influence";
    const largest = Math.max(...known.map((one) => one.largest)) || 1;
    if (slot === "rank") {
      const floor = Math.min(...known.map((one) => one.error).filter((one) => one > 0)) / 10;
      for (const { encoding } of spec.layer) {
        encoding.x.scale = { type: state.scale, domain: [state.scale === "log" ? 0.85 : 0, facts().neurons[state.model]], nice: false };
        encoding.x.axis = { format: "~s", ...(state.scale === "log" ? { values: atlas.ticks(1, facts().neurons[state.model]) } : { tickCount: 6 }) };
        // A number of ticks would thin the given ones.
        if (state.scale === "log" && encoding.y.axis) Object.assign(encoding.y.axis, { values: atlas.ticks(floor, largest * 1.1), tickCount: undefined });
        encoding.y.scale = { type: state.scale, domain: [state.scale === "log" ? floor : 0, largest * 1.1] };
        encoding.y.title = `|${words}| (nats per token)`;
      }
    } else if (slot === "scatter") {
      const [a, b] = against(state), of = (one) => known[facts().strata.indexOf(one)];
      const scale = (one) => ({ domain: [-of(one).largest * 1.05, of(one).largest * 1.05], nice: false,
        ...(state.scale === "log" ? { type: "symlog", constant: Math.max(of(a).error, of(b).error) || 1e-6 } : {}) });
      for (const { encoding } of spec.layer) {
        Object.assign(encoding.x, { title: `${words} on ${a} tokens (nats per token)`, scale: scale(a) });
        Object.assign(encoding.y, { title: `${words} on ${b} tokens (nats per token)`, scale: scale(b) });
        if (encoding.color) encoding.color.scale = { domain: [a, b, "both", "neither"], range: [atlas.colour(a), atlas.colour(b), "#222222", "#c4c4c4"] };
      }
    } else {
      const { field, ...axis } = atlas.xAxis();
      for (const { encoding } of spec.layer) {
        if (encoding.x) Object.assign(encoding.x, axis);
        if (encoding.y) encoding.y.title = `${words} (nats per token)`;
      }
    }
    return spec;
  },
  note(slot, state) {
    if (!(state.model in facts().steps)) return "";
    const neuron = chosen(state, read[slot]), k = place(state), step = steps(state)[k];
    const at = step === state.step ? "" : ` The page carries no step ${state.step}: step ${step} is shown.`;
    if (slot !== "course") return `${state.model}, step ${step.toLocaleString("en")}.${at} Black ring: neuron ${neuron}.`;
    const ranks = facts().strata.map((stratum, s) => `${ranked(read[slot].values.row(k, s)).indexOf(neuron) + 1} on ${stratum}`);
    return `Neuron ${neuron} of ${state.model}; rank at step ${step.toLocaleString("en")}: ${ranks.join(", ")}.`;
  },
  ready(slot, view) {
    view.addEventListener("click", (event, item) => {
      const { neuron, step } = item?.datum ?? {};
      // With a step the neuron stays, though another may be the strongest there.
      if (neuron !== undefined) atlas.set(step === undefined ? { neuron } : { neuron, step });
    });
  },
});
