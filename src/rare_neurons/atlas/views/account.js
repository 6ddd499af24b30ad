// Where the loss change came from: bars that add up to it, and one interval split by layer.
(() => {
  const named = (before, step) => `${before.toLocaleString("en")}–${step.toLocaleString("en")}`;

  function endOf({ kind, token_stratum: stratum }) {
    if (kind === "embedding" || kind === "unembedding") return `${kind}, ${stratum ?? "other"} tokens`;
    return kind === "norm" ? "final norm" : kind;
  }

  // Objects of the chosen model, stratum and part; null where the account was not asked for.
  function account(state) {
    const {models, strata, kinds} = atlas.facts("account");
    const mine = models[state.model];
    if (!mine) return `The account of ${state.model} was not measured.`;
    if (!strata.includes(state.stratum)) {
      return `The account was asked for ${strata.join(" and ")} tokens, not for ${state.stratum} ones.`;
    }
    const objects = (columns) => columns.step.map((_, k) =>
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[k]])));
    const parts = objects(mine.parts).filter((row) => row.stratum === state.stratum).map((row) => {
      const place = row.layer === null ? endOf(row) : `layer ${row.layer}`;
      return {model: state.model, stratum: row.stratum, part: state.part, interval: named(row.step_before, row.step),
              step_before: row.step_before, step: row.step, layer: row.layer, kind: row.kind, _place: place,
              _label: row.layer === null ? place : `${row.kind}s of layer ${row.layer}`,
              _order: kinds.indexOf(row.kind) * 1000 + (row.layer === null ? 0 : row.layer), change: row[state.part]};
    });
    const totals = objects(mine.changes).filter((row) => row.stratum === state.stratum && row.part === state.part)
      .map((row) => ({model: state.model, stratum: row.stratum, part: row.part, step_before: row.step_before,
                      step: row.step, interval: named(row.step_before, row.step), change: row.loss_change}));
    const order = (a, b) => a.step - b.step || (a._order || 0) - (b._order || 0);
    return {parts: parts.sort(order), totals: totals.sort(order)};
  }

  // The interval that a reader has clicked, otherwise that around the chosen step, otherwise the last.
  function chosen(totals, state) {
    const clicked = totals.find((row) => row.interval === state.interval);
    const around = totals.find((row) => row.step_before < state.step && state.step <= row.step);
    return (clicked || around || totals[totals.length - 1] || {}).interval;
  }

  atlas.view("account", {
    uses: ["step", "interval"],
    shapes: ["model", "stratum", "part"],
    shape(slot, spec, state) {
      const found = account(state);
      if (slot === "bars" && typeof found !== "string") {
        const scale = { domain: found.totals.map((row) => row.interval) };
        for (const layer of spec.layer) if (layer.encoding.x) layer.encoding.x.scale = scale;
      }
      return spec;
    },
    async rows(slot, state) {
      const found = account(state);
      if (typeof found === "string") return found;
      const interval = chosen(found.totals, state);
      if (slot === "bars") {
        return {parts: found.parts, totals: found.totals.map((row) => ({...row, _chosen: row.interval === interval}))};
      }
      const rest = (row) => (row.layer === null ? 1e6 + row._order : row.layer);
      return {split: found.parts.filter((row) => row.interval === interval).sort((a, b) => rest(a) - rest(b))};
    },
    ready(slot, view) {
      if (slot !== "bars") return;
      view.addEventListener("click", (event, item) => {
        if (item && item.datum && item.datum.interval) atlas.set({interval: item.datum.interval});
      });
    },
  });
})();
