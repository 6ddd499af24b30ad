// The chosen neuron: a card in words, and its rank over training. Its influence is that of the view of neurons.
(() => {
  const STRONGEST = 12;
  const KIND = {
    other: "no detector, and not dead", dead: "dead: never active", token_detector: "detector of tokens",
    bigram_detector: "detector of bigrams", trigram_detector: "detector of trigrams", undecided: "undecided",
  };
  const FLAG = { silent: "silent (next to no output)", suppressor: "suppresses its trigger", positional: "positional" };
  const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const place = (list, value) => list.reduce((best, one, k) => (one <= value ? k : best), -1);
  const steps = (model) => atlas.tree.models[model].steps;
  const ranked = new Map(); // neurons by falling |influence|, by model, part, stratum and step

  async function order(model, part, stratum, step) {
    const key = [model, part, stratum, step].join("\n");
    if (!ranked.has(key)) {
      const row = await atlas.influence(model, part, stratum, step);
      const size = row && Float64Array.from(row, Math.abs);
      const all = row && Uint32Array.from(row.keys()).sort((a, b) => size[b] - size[a] || a - b);
      ranked.set(key, row && { row, all });
    }
    return ranked.get(key);
  }

  async function strongest(state) {
    const found = await order(state.model, state.part, state.stratum, state.step);
    const list = make("p", "", { className: "strongest" });
    if (!found) return list;
    list.append(`Strongest on ${state.stratum} tokens at step ${state.step.toLocaleString("en")}: `);
    for (const neuron of found.all.slice(0, STRONGEST)) {
      const button = make("button", String(neuron), { type: "button", onclick: () => atlas.set({ neuron }) });
      button.setAttribute("aria-pressed", neuron === state.neuron);
      button.setAttribute("aria-label", `neuron ${neuron}, influence ${found.row[neuron].toExponential(1)} nats`);
      list.append(button, " ");
    }
    return list;
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
    const k = Math.max(place(kinds.steps, state.step), 0), names = atlas.facts("portrait");
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
    const step = there[Math.max(place(there, state.step), 0)], mine = facts.examples[step][state.neuron];
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

  async function card(state) {
    const element = document.getElementById("portrait"), facts = atlas.facts("portrait").models[state.model];
    const parts = [await strongest(state)];
    if (state.neuron === null || !facts) parts.push(make("p", "Choose a neuron: here, by its number above, or in a chart."));
    else {
      const rest = await kind(state, facts);
      parts.push(make("h4", `Neuron ${state.neuron} of the last layer of ${state.model}`), rest,
        make("h5", "In the sets of top neurons"), lineage(state, facts),
        make("h5", "Targets on which it acts most"), ...examples(state, facts));
    }
    element.replaceChildren(...parts);
  }

  atlas.view("portrait", {
    uses: ["model", "part", "stratum", "neuron", "step"],
    shapes: ["axis", "scale"],
    shape(slot, spec) {
      const strata = atlas.tree.strata.map((one) => one.name), range = atlas.tree.strata.map((one) => one.colour);
      for (const layer of spec.layer) {
        const { encoding } = layer;
        if (encoding.x) Object.assign(encoding.x, atlas.xAxis());
        for (const name of ["color", "fill"]) if (encoding[name]?.field) encoding[name].scale = { domain: strata, range };
      }
      return spec;
    },
    async rows(slot, state) {
      await card(state);
      if (state.neuron === null) return "No neuron is chosen.";
      const missing = atlas.xMissing(state.model);
      if (missing) return missing;
      const { sizes } = atlas.facts("portrait").models[state.model], points = [];
      for (const { name: stratum } of atlas.tree.strata) {
        for (const step of steps(state.model)) {
          const found = await order(state.model, state.part, stratum, step), x = atlas.x(state.model, step);
          if (!found || x === null || Number.isNaN(found.row[0])) continue;
          const rank = found.all.indexOf(state.neuron) + 1;
          if (!rank) return `The layer has ${found.all.length.toLocaleString("en")} neurons, numbered from 0.`;
          points.push({ model: state.model, neuron: state.neuron, stratum, part: state.part, step, x, rank,
            influence: found.row[state.neuron], member: rank <= (sizes[stratum] ?? 0), chosen: step === state.step });
        }
      }
      if (!points.length) return `The influence of the neurons of ${state.model} is not on this page.`;
      return { points, sets: Object.entries(sizes).map(([stratum, rank]) => ({ stratum, rank })) };
    },
    ready(slot, view) {
      view.addEventListener("click", (event, item) => {
        if (item?.datum?.step !== undefined) atlas.set({ step: item.datum.step });
      });
    },
  });
})();
