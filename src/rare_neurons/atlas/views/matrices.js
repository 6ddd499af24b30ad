// Layer x matrix: alpha at the chosen step; a click chooses the matrix whose course and eigenvalues stand beside.
(() => {
  const MANY = 40, SMALL = 12; // checkpoints beyond which points are small, and their size
  const number = (value) => (Number.isNaN(value) ? null : value);

  // Fits of one model as objects: at(matrix, step) by their places.
  async function fitsOf(model) {
    const { matrices, quantities, models } = atlas.facts("matrices");
    if (!models[model]) return null;
    const array = await atlas.array(`matrices/fits/${model}`);
    return (m, s) => {
      const [alpha, low, high, p, logXmin, nTail] = quantities.map((_, q) => number(array.at(q, m, s)));
      const inside = low !== null && alpha !== null && alpha >= low && alpha <= high;
      const outside = low === null ? "not drawn" : `${low.toFixed(2)} to ${high.toFixed(2)}`;
      return { model, name: matrices[m].name, layer: matrices[m].layer, matrix: matrices[m].matrix,
               step: models[model].steps[s], alpha, alpha_null_low: low, alpha_null_high: high, alpha_null_p: p,
               log10_xmin: logXmin, n_tail: nTail === null ? null : Math.round(nTail), inside, _null: outside };
    };
  }

  // The matrix that was clicked; before, the last layer's W_out, whose neurons the page is about.
  function chosen(state) {
    const { matrices, models } = atlas.facts("matrices"), own = models[state.model].sizes;
    const clicked = matrices.findIndex((one, m) => own[m] && one.name === state.matrix);
    if (clicked >= 0) return clicked;
    const outs = matrices.map((one, m) => [one, m])
      .filter(([one, m]) => own[m] && one.matrix === "W_out" && one.layer !== null);
    return outs.length ? outs[outs.length - 1][1] : own.findIndex(Boolean);
  }

  async function cells(state, fit) {
    const { matrices, models } = atlas.facts("matrices");
    const s = models[state.model].steps.indexOf(state.step);
    if (s < 0) return `The spectra of step ${state.step} were not measured.`;
    const rows = matrices.map((_, m) => fit(m, s)).filter((row) => row.alpha !== null);
    if (!rows.length) return "No matrix has a tail that could be fitted at this step.";
    const middle = Math.sqrt(Math.min(...rows.map((r) => r.alpha)) * Math.max(...rows.map((r) => r.alpha)));
    return { cells: rows.map((row) => {
      const said = row.alpha >= 10 ? row.alpha.toFixed(0) : row.alpha.toFixed(1);
      return { ...row, _place: row.layer === null ? "ends" : String(row.layer), _label: row.inside ? `(${said})` : said,
               _light: row.alpha < middle, _chosen: row.name === matrices[chosen(state)].name };
    }) };
  }

  function course(state, fit) {
    const missing = atlas.xMissing(state.model);
    if (missing) return missing;
    const { models } = atlas.facts("matrices");
    const m = chosen(state);
    const points = models[state.model].steps.map((step, s) =>
      ({ ...fit(m, s), x: atlas.x(state.model, step), quarantined: atlas.held(state.model, step), _chosen: step === state.step }));
    return { points: points.filter((row) => row.alpha !== null && row.x !== null) };
  }

  async function spectrum(state, fit) {
    const { models } = atlas.facts("matrices");
    const { steps, kept } = models[state.model];
    if (!kept.length) return `The eigenvalues of ${state.model} are not in this results tree.`;
    const step = kept.reduce((best, one) => (Math.abs(one - state.step) < Math.abs(best - state.step) ? one : best));
    const array = await atlas.array(`matrices/eigenvalues/${state.model}`);
    const m = chosen(state), { name, n, ranks } = models[state.model].sizes[m], place = kept.indexOf(step);
    const points = ranks.map((rank, k) => ({ model: state.model, name, step, rank, share: rank / n,
                                             value: 10 ** array.at(place, m, k) })).filter((row) => row.value > 0);
    const { alpha, log10_xmin: logXmin, n_tail: nTail } = fit(m, steps.indexOf(step));
    if (alpha === null || logXmin === null || !points.length) return { points, fit: [] };
    // The line ends with the points, or where less than half an eigenvalue would be left.
    const start = 10 ** logXmin, none = start * (2 * nTail) ** (1 / (alpha - 1));
    const fitted = [start, Math.min(points[0].value, none)].map((value) => ({ model: state.model, name, step, alpha,
      n_tail: nTail, value, share: (nTail / n) * (value / start) ** (1 - alpha) }));
    return { points, fit: fitted };
  }

  atlas.view("matrices", {
    uses: ["model", "step", "matrix"],
    shapes: ["axis", "scale", "model"],
    shape(slot, spec, state) {
      if (slot === "map") {
        spec.height = atlas.enlarged(spec.height);
        for (const { mark } of spec.layer) if (mark.type === "text") mark.fontSize = atlas.enlarged(mark.fontSize);
      }
      if (slot !== "course") return spec;
      for (const { mark, encoding } of spec.layer) {
        Object.assign(encoding.x, atlas.xAxis());
        if (mark.type === "point" && atlas.facts("matrices").models[state.model]?.steps.length > MANY) mark.size = SMALL;
      }
      return spec;
    },
    async rows(slot, state) {
      const fit = await fitsOf(state.model);
      if (!fit) return `The spectra of ${state.model} were not measured.`;
      const found = await { map: cells, course, eigenvalues: spectrum }[slot](state, fit);
      const { models } = atlas.facts("matrices");
      const { name, rows, cols } = models[state.model].sizes[chosen(state)];
      if (slot === "course") say(slot, `${name}, ${rows.toLocaleString("en")} x ${cols.toLocaleString("en")}, over training`);
      if (slot === "eigenvalues" && typeof found !== "string" && found.points.length) {
        const { step } = found.points[0];
        const [fitted] = found.fit;
        const tail = fitted ? `: alpha ${fitted.alpha.toFixed(2)} on the ${fitted.n_tail.toFixed(0)} largest` : ": no tail";
        const near = step === state.step ? "" : " (nearest on this page)";
        say(slot, `Eigenvalues of ${name} at step ${step.toLocaleString("en")}${near}${tail}`);
      }
      return found;
    },
    ready(slot, view) {
      view.addEventListener("click", (event, item) => {
        if (!item || !item.datum) return;
        if (slot === "map" && item.datum.name) atlas.set({ matrix: item.datum.name });
        if (slot === "course" && item.datum.step !== undefined) atlas.set({ step: item.datum.step });
      });
    },
  });

  function say(slot, text) {
    const { element } = atlas.slots().find((one) => one.view === "matrices" && one.slot === slot);
    element.querySelector(".head").textContent = text;
  }
})();
