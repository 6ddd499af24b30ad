// The chosen neuron: a card in words, and its rank over training. Its influence is that of the view of neurons.
(() => {
  const STRONGEST = 12;
  const MANY = 40, SMALL = 12; // checkpoints beyond which points are small, and their size
  const KIND = {
    other: "no detector, and not dead", dead: "dead: never active", token_detector: "detector of tokens",
    bigram_detector: "detector of bigrams", trigram_detector: "detector of trigrams", undecided: "undecided",
  };
  const FLAG = { silent: "silent (next to no output)", suppressor: "suppresses its trigger", positional: "positional" };
  const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const last = (list, value) => list.reduce((best, one, k) => (one <= value ? k : best), -1);
  // What the view of neurons carries: steps and strata, and the influence as [step, stratum, neuron].
  const steps = (model) => atlas.facts("neurons").steps?.[model] ?? [];
  const strata = () => atlas.facts("neurons").strata;
  const array = (state) => atlas.array(`neurons/${state.part}:${state.model}`);
  const sizes = (values, k, s) => values.row(k, s).map(Math.abs);
  const rankOf = (row, neuron) => 1 + row.reduce((n, one, i) => n + (one > row[neuron] || (one === row[neuron] && i < neuron)), 0);

  // Neurons by falling |influence| at the carried step nearest to the chosen one.
  async function strongest(state) {
    const own = steps(state.model);
    if (!own.length) return [];
    const k = own.reduce((best, step, i) => (Math.abs(step - state.step) < Math.abs(own[best] - state.step) ? i : best), 0);
    const row = sizes(await array(state), k, strata().indexOf(state.stratum));
    const known = [...row.keys()].filter((i) => !Number.isNaN(row[i]));
    return known.sort((a, b) => row[b] - row[a] || a - b).slice(0, STRONGEST);
  }

  // A way to the neurons for who has no mouse.
  function list(state, neurons) {
    const line = make("p", "", { className: "strongest" });
    line.append(`Strongest on ${state.stratum} tokens at step ${state.step.toLocaleString("en")}: `);
    for (const neuron of neurons) {
      const button = make("button", String(neuron), { type: "button", onclick: () => atlas.set({ neuron }) });
      button.setAttribute("aria-pressed", neuron === state.neuron);
      button.setAttribute("aria-label", `neuron ${neuron}`);
      line.append(button, " ");
    }
    return line;
  }

  function lineage(state, facts) {
    const list = make("ul");
    for (const [stratum, { reference_step: step, neurons }] of Object.entries(facts.members)) {
      const of = `${stratum} tokens: `, size = Object.keys(neurons).length, mine = neurons[state.neuron];
      if (!mine) {
        list.append(make("li", `${of}not among the top ${size} of step ${step.toLocaleString("en")}`));
        continue;
      }
      const [rank, sign, birth, settled, persistence] = mine;
      list.append(make("li", `${of}number ${rank} of the top ${size} of step ${step.toLocaleString("en")}, ` +
        `${sign > 0 ? "helps" : "harms"} there; first a member at step ${birth.toLocaleString("en")}, always from ` +
        `${settled.toLocaleString("en")} on, at ${Math.round(100 * persistence)} % of the checkpoints since the first`));
    }
    return list.childElementCount ? list : make("p", "Sets of top neurons were not followed for this model.");
  }

  async function kind(state, facts) {
    const { kinds } = facts;
    if (!kinds) return make("p", "Its kind was not measured; the section 'activity' of the configuration asks for it.");
    const k = Math.max(last(kinds.steps, state.step), 0), names = atlas.facts("portrait");
    const [codes, flags, active] = await Promise.all(
      ["kinds", "flags", "active"].map((name) => atlas.array(`portrait/${name}/${state.model}`)));
    const bits = flags.at(k, state.neuron), n = kinds.positions[k], share = active.at(k, state.neuron) / n;
    const said = [KIND[names.kinds[codes.at(k, state.neuron)]],
      ...names.flags.filter((_, bit) => (bits >> bit) & 1).map((name) => FLAG[name])];
    const triggers = kinds.triggers[k][state.neuron];
    if (triggers) said.push(`triggers: ${triggers.map((text) => `“${text}”`).join(", ")}`);
    return make("p", `At step ${kinds.steps[k].toLocaleString("en")}: ${said.join("; ")}; active at ` +
      `${(100 * share).toPrecision(2)} % of ${n.toLocaleString("en")} positions`);
  }

  function examples(state, facts) {
    const there = Object.keys(facts.examples).map(Number).sort((a, b) => a - b);
    if (!there.length) {
      return [make("p", "Example contexts were not kept; the section 'activity' of the configuration asks for them.")];
    }
    const step = there[Math.max(last(there, state.step), 0)], mine = facts.examples[step][state.neuron];
    if (!mine) {
      const list = make("p", `No examples of this neuron: at step ${step.toLocaleString("en")} they were kept of `);
      for (const neuron of Object.keys(facts.examples[step]).map(Number)) {
        list.append(make("button", String(neuron), { type: "button", onclick: () => atlas.set({ neuron }) }), " ");
      }
      return [list];
    }
    const table = make("table", "", { className: "plain examples" });
    const head = table.createTHead().insertRow(), body = table.createTBody();
    for (const name of ["tokens", "effect (nats)", "activation", `context at step ${step.toLocaleString("en")}, the target marked`]) {
      head.append(make("th", name, { scope: "col" }));
    }
    for (const [stratum, , , effect, activation, before, target, after] of mine) {
      const row = body.insertRow();
      row.append(make("td", stratum), make("td", effect.toPrecision(2), { className: "number" }),
        make("td", activation.toPrecision(2), { className: "number" }));
      const text = make("td", "", { className: "text" });
      text.append(before, make("mark", target), after);
      row.append(text);
    }
    return [table];
  }

  async function card(state, neurons) {
    const element = atlas.body("portrait").querySelector(".portrait"), facts = atlas.facts("portrait").models[state.model];
    const parts = [list(state, neurons)];
    if (state.neuron !== null && facts && !(state.neuron >= (atlas.facts("neurons").neurons?.[state.model] ?? Infinity))) {
      const rest = await kind(state, facts);
      parts.push(make("h4", `Neuron ${state.neuron} of the last layer of ${state.model}`), rest,
        make("h5", "In the sets of top neurons, by |influence| on the whole loss"), lineage(state, facts),
        make("h5", "Targets on which it acts most"), ...examples(state, facts));
    }
    element.replaceChildren(...parts);
  }

  atlas.view("portrait", {
    uses: ["model", "part", "stratum", "neuron", "step"],
    shapes: ["axis", "scale", "model"],
    shape(slot, spec, state) {
      const domain = [1, atlas.facts("neurons").neurons?.[state.model] ?? 1];
      const strata = atlas.tree.strata.map((one) => one.name), range = atlas.tree.strata.map((one) => one.colour);
      for (const { mark, encoding } of spec.layer) {
        if (mark.type === "point" && steps(state.model).length > MANY) mark.size = SMALL;
        if (encoding.x) Object.assign(encoding.x, atlas.xAxis());
        if (encoding.y) Object.assign(encoding.y.scale, { domain }), Object.assign(encoding.y.axis, { values: atlas.ticks(...domain) });
        for (const name of ["color", "fill"]) if (encoding[name]?.field) encoding[name].scale = { domain: strata, range };
      }
      return spec;
    },
    async rows(slot, state) {
      const neurons = await strongest(state), neuron = state.neuron ?? neurons[0] ?? null;
      await card({ ...state, neuron }, neurons);
      if (neuron === null) return `The influence of the neurons of ${state.model} is not on this page.`;
      const missing = atlas.xMissing(state.model), values = await array(state), n = values.shape[2];
      if (missing) return missing;
      if (neuron >= n) return `The layer has ${n.toLocaleString("en")} neurons, numbered from 0.`;
      const top = atlas.facts("portrait").models[state.model].sizes, points = [];
      strata().forEach((stratum, s) => steps(state.model).forEach((step, k) => {
        const influence = values.at(k, s, neuron), x = atlas.x(state.model, step);
        if (Number.isNaN(influence) || x === null) return;
        const rank = rankOf(sizes(values, k, s), neuron);
        points.push({ model: state.model, neuron, stratum, part: state.part, step, x, rank, influence,
          member: rank <= (top[stratum] ?? 0), quarantined: atlas.held(state.model, step), _chosen: step === state.step });
      }));
      if (!points.length) return `Nothing was measured of the neurons of ${state.model}.`;
      return { points, sets: Object.entries(top).map(([stratum, rank]) => ({ stratum, rank })) };
    },
    ready(slot, view) {
      view.addEventListener("click", (event, item) => {
        const { neuron, step } = item?.datum ?? {};
        if (step !== undefined) atlas.set({ neuron, step });
      });
    },
  });
})();
