// Layer x step: the chosen model's rms influence, a map for each stratum; a click chooses the step.
atlas.view("layers", {
  uses: ["model", "step"],
  shapes: ["part"],
  // One scale for all maps and models, so that they compare.
  shape(slot, spec, state) {
    const domain = atlas.facts("layers").range[state.part] ?? [1e-6, 1e-3];
    const values = atlas.ticks(...domain);
    for (const { encoding: { color } } of spec.layer)
      if (color?.field) Object.assign(color, { scale: { ...color.scale, domain }, legend: { ...color.legend, ...(values.length > 1 ? { values } : {}) } });
    spec.height = atlas.enlarged(spec.height);
    return spec;
  },
  async rows(slot, state) {
    const {strata, parts, layers, steps} = atlas.facts("layers");
    const own = steps[state.model];
    if (!own) return `The layers of ${state.model} were not measured.`;
    const [rms, resolved] = await Promise.all(
      ["rms", "resolved"].map((name) => atlas.array(`layers/${name}/${state.model}`)));
    const stratum = strata.indexOf(slot), part = parts.indexOf(state.part);
    const cells = [];
    layers.forEach((layer, l) => own.forEach((step, s) => {
      const value = rms.at(stratum, part, l, s);
      if (Number.isNaN(value)) return;
      const beyond = resolved.at(stratum, part, l, s) === 1 && value > 0;
      cells.push({model: state.model, stratum: slot, part: state.part, layer, step, rms: value, resolved: beyond,
                  _said: beyond ? "yes" : "no", _chosen: step === state.step});
    }));
    return {cells};
  },
  ready(slot, view) {
    view.addEventListener("click", (event, item) => {
      if (item && item.datum && item.datum.step !== undefined) atlas.set({step: item.datum.step});
    });
  },
});
