// The frame of the page: one state, arrays that unpack when they are asked for, and views that are drawn while in sight.
// What a view's script may call is described in rare_neurons/atlas/__init__.py.
(() => {
  "use strict";
  const json = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const trees = json("tree"); // one for each panel
  const facts = json("facts"); // by scope and view; a scope is a panel's place among them, or empty: what all panels share
  const views = new Map(); // by name: what the script gave
  const slots = new Map(); // by "scope:view/slot"
  let tree = trees[0]; // that of the chosen panel
  const listeners = [];
  const arrays = new Map();

  // --- state ---------------------------------------------------------------------------------------------------------

  const firstSubject = tree.subjects[0];
  const lastStratum = (one) => one.strata.at(-1)?.name ?? null;
  const state = {
    panel: tree.panel, subject: firstSubject.name, model: firstSubject.runs[0], stratum: lastStratum(tree), part: "within", step: null, neuron: null,
    axis: "step", scale: "log", control: true,
  };

  const own = (name) => { const one = subject(name); return [...one.runs, ...one.controls]; };
  const subjectOf = (model) => tree.subjects.find((one) => one.runs.includes(model))?.name;
  const subject = (name) => tree.subjects.find((one) => one.name === name);
  const lastGood = (model) => {
    const { steps, quarantined } = tree.models[model];
    const good = steps.filter((_, i) => !quarantined[i]);
    return good.at(-1) ?? steps.at(-1) ?? null;
  };
  const nearest = (steps, step) =>
    steps.reduce((best, one) => (Math.abs(one - step) < Math.abs(best - step) ? one : best), steps[0]);

  const scope = () => String(trees.indexOf(tree));
  const current = (one) => one.scope === "" || one.scope === scope();
  const slotOf = (view, slot) => slots.get(`${scope()}:${view}/${slot}`) ?? slots.get(`:${view}/${slot}`);

  // What one choice brings with it: a model has a subject and steps, a subject has models, a panel has strata.
  function completed(change) {
    const next = { ...state, ...change };
    if (change.subject && !change.model && change.subject !== state.subject) next.model = subject(change.subject).runs[0];
    if (!own(next.subject).includes(next.model)) next.subject = subjectOf(next.model) ?? next.subject;
    const panel = trees.find((one) => one.panel === next.panel);
    const has = (name) => panel.strata.some((one) => one.name === name);
    if (!has(next.stratum)) next.stratum = has(state.stratum) ? state.stratum : lastStratum(panel);
    const steps = tree.models[next.model].steps;
    if (steps.length && !steps.includes(next.step)) next.step = next.step === null ? lastGood(next.model) : nearest(steps, next.step);
    return next;
  }

  const turning = []; // changes that wait for another panel, in their order
  function set(change) {
    if (turning.length) { turning.push(change); return; }
    const next = completed(change);
    const changed = Object.keys(next).filter((key) => next[key] !== state[key]);
    if (!changed.length) return;
    // What is being drawn reads the facts of one panel: the page turns to another between drawings.
    if (changed.includes("panel") && waiting) {
      turning.push(change);
      idle.unshift(() => turning.splice(0).forEach(set));
      return;
    }
    Object.assign(state, next);
    if (changed.includes("panel")) turn();
    history.replaceState(null, "", "#" + new URLSearchParams(Object.entries(state).filter(([, v]) => v !== null)));
    for (const one of slots.values()) {
      const { uses = [], shapes = [] } = views.get(one.view) ?? {};
      if (changed.some((key) => shapes.includes(key))) one.stale = "shape";
      else if (changed.some((key) => uses.includes(key))) one.stale ||= "rows";
    }
    listeners.forEach((listen) => listen(changed));
    schedule();
  }

  // Shows what is of the chosen panel, and of all; what is drawn stays where it is, but everything is drawn anew.
  function turn() {
    tree = trees.find((one) => one.panel === state.panel);
    for (const body of document.querySelectorAll(".body")) body.hidden = !current(body.dataset);
    for (const one of slots.values()) one.stale = "shape";
  }

  const CHOICES = { axis: ["step", "tokens", "loss"], scale: ["log", "linear"], part: ["whole", "within"] };
  const ADDED = ["matrix", "interval"]; // keys of the views; they look for the value among their own
  const whole = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);
  const among = (some) => (text) => (some.includes(text) ? text : undefined);
  const READ = {
    panel: among(trees.map((one) => one.panel)), subject: among(tree.subjects.map((one) => one.name)), model: among(Object.keys(tree.models)),
    stratum: (text) => text, step: whole, neuron: whole, control: (text) => ({ true: true, false: false })[text],
    ...Object.fromEntries(Object.entries(CHOICES).map(([key, legal]) => [key, among(legal)])),
    ...Object.fromEntries(ADDED.map((key) => [key, (text) => text])),
  };
  // What the address says and the page has; the rest of it, such as the name of a section, is no choice.
  function fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    const known = Object.entries(READ).filter(([key]) => given.has(key)).map(([key, read]) => [key, read(given.get(key))]);
    return Object.fromEntries(known.filter(([, value]) => value !== undefined));
  }

  // --- arrays --------------------------------------------------------------------------------------------------------

  let halves = null; // all 65,536 numbers of IEEE 754 binary16
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  }

  class Numbers {
    constructor(head, bytes) {
      const type = { uint8: Uint8Array, log8: Uint8Array, int16: Int16Array, int32: Int32Array, float16: Uint16Array,
        float32: Float32Array, float64: Float64Array }[head.kind];
      this.shape = head.shape;
      this.data = new type(bytes.buffer);
      this.scale = head.scale;
      this.half = head.kind === "float16";
      if (head.kind === "log8") this.levels = Float64Array.from({ length: 256 }, (_, code) =>
        code === 255 ? NaN : code === 254 ? 0 : head.scale * Math.exp(code * head.ratio));
      if (this.half) halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
    }
    get(i) { return this.levels ? this.levels[this.data[i]] : (this.half ? halves[this.data[i]] : this.data[i]) * this.scale; }
    index(places) { return this.shape.reduce((sum, size, axis) => sum * size + (places[axis] ?? 0), 0); }
    at(...places) { return this.get(this.index(places)); }
    row(...places) {
      const start = this.index(places), length = this.shape.at(-1);
      return Float64Array.from({ length }, (_, i) => this.get(start + i));
    }
  }

  const parsed = new Promise((done) =>
    document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", () => done()) : done());

  async function unpack(id) {
    let element = document.getElementById(id);
    // While the page is being read an element may not be there, or not be whole.
    if (!element?.nextSibling) { await parsed; element = document.getElementById(id); }
    if (!element) throw new Error(`no ${id} on this page`);
    const head = JSON.parse(element.dataset.head);
    const text = element.textContent.trim();
    const raw = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    element.textContent = ""; // the text is several times as large as the numbers
    const size = { uint8: 1, log8: 1, int16: 2, float16: 2, int32: 4, float32: 4, float64: 8 }[head.kind];
    const count = planes.length / size, bytes = new Uint8Array(planes.length);
    for (let plane = 0; plane < size; plane++)
      for (let i = 0; i < count; i++) bytes[i * size + plane] = planes[plane * count + i];
    return new Numbers(head, bytes);
  }
  function array(name) {
    const [view] = name.split("/", 1), id = `array:${facts[scope()]?.[view] ? scope() : ""}:${name}`;
    if (!arrays.has(id)) arrays.set(id, unpack(id));
    return arrays.get(id);
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  // Letters of charts grow with those of the page, which are larger on a wide screen.
  const enlarged = (size) => Math.round(size * parseFloat(getComputedStyle(document.documentElement).fontSize) / 15);
  const look = () => ({
    background: null, font: "system-ui, sans-serif",
    axis: { labelFontSize: enlarged(11), titleFontSize: enlarged(12), titleFontWeight: 500, gridColor: "#e8e8e8", domainColor: "#888", tickColor: "#888",
      labelColor: "#333", titleColor: "#333", labelOverlap: "greedy" },
    axisX: { labelSeparation: 6 },
    legend: { labelFontSize: enlarged(11), titleFontSize: enlarged(11), titleFontWeight: 500, orient: "top", symbolStrokeWidth: 2 },
    title: { fontSize: enlarged(12), fontWeight: 600, anchor: "start" }, header: { labelFontSize: enlarged(11), titleFontSize: enlarged(12) },
    view: { stroke: null },
  });
  const loader = () => { throw new Error("this page loads nothing"); };

  // Names of the data that a specification draws: a script may have left out a layer that would be empty.
  const named = (spec) => [spec.data?.name, ...["layer", "vconcat", "hconcat", "concat"].flatMap((key) => (spec[key] ?? []).flatMap(named)),
    ...(spec.spec ? named(spec.spec) : [])].filter(Boolean);

  async function draw(one) {
    const kind = one.stale;
    one.stale = null;
    const script = views.get(one.view) ?? {};
    const seen = { ...state };
    const rows = script.rows ? await script.rows(one.slot, seen) : {};
    const words = typeof rows === "string" ? rows : null;
    one.element.querySelector(".words").textContent = words ?? "";
    one.element.querySelector(".chart").hidden = words !== null;
    if (script.note) one.element.querySelector("figcaption").textContent = script.note(one.slot, seen) ?? "";
    if (words !== null) { one.rows = {}; one.empty = true; one.element.classList.add("done"); return; }
    one.rows = rows;
    if (one.drawn && kind === "rows" && !one.empty) {
      for (const [name, some] of Object.entries(rows)) if (one.names.has(name)) one.drawn.view.data(name, some);
      await one.drawn.view.runAsync();
      window.atlas.drew?.(one);
      return;
    }
    one.empty = false;
    let spec = json("spec:" + one.id);
    if (script.shape) spec = script.shape(one.slot, spec, seen, one.element.clientWidth) ?? spec;
    one.names = new Set(named(spec));
    spec.datasets = { ...spec.datasets, ...rows };
    one.drawn?.finalize();
    one.drawn = await vegaEmbed(one.element.querySelector(".chart"), spec, {
      actions: false, logLevel: 1, renderer: script.renderer ?? "svg", config: look(), loader: { load: loader, sanitize: async (href) => ({ href }) },
    });
    one.element.classList.add("done");
    script.ready?.(one.slot, one.drawn.view, seen);
    window.atlas.drew?.(one);
  }

  let waiting = 0;
  const idle = [];
  async function work(one) {
    if (one.busy) return;
    one.busy = true;
    waiting++;
    one.element.classList.add("busy");
    try {
      while (one.stale && one.seen && current(one) && !turning.length) await draw(one);
    } catch (error) {
      one.element.querySelector(".words").textContent = `This view could not be drawn: ${error.message}`;
      console.error(one.id, error);
    }
    one.element.classList.remove("busy");
    one.busy = false;
    if (!--waiting) idle.splice(0).forEach((done) => done());
  }
  let asked = false;
  function schedule() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      for (const one of slots.values()) if (one.seen && one.stale && current(one)) work(one);
      if (!waiting) idle.splice(0).forEach((done) => done());
    });
  }
  // Turning to a panel asks for more to be drawn once all else is.
  const quiet = () => new Promise((done) => { idle.push(done); schedule(); });
  async function settled() { do await quiet(); while (waiting || asked || turning.length); }
  // Draws all of a view, in sight or not.
  const see = (view) => {
    for (const one of slots.values()) if (one.view === view && current(one)) one.seen = true;
    return settled();
  };

  // --- the axis of training ------------------------------------------------------------------------------------------

  const places = (model) => {
    const { steps, tokens, loss } = tree.models[model];
    return { step: steps, tokens, loss }[state.axis];
  };
  const positive = (values) => values.filter((value) => value > 0);
  function zeroPlace() {
    const all = Object.keys(tree.models).flatMap((model) => positive(places(model)));
    return all.length ? Math.min(...all) / 2 : 0.5;
  }
  function x(model, step) {
    const value = places(model)?.[tree.models[model].steps.indexOf(step)] ?? null;
    return state.scale === "log" && value === 0 ? zeroPlace() : value;
  }
  function xMissing(model) {
    if (places(model).some((value) => value !== null)) return null;
    return state.axis === "tokens"
      ? `Training tokens per step are not configured for ${model}: choose the axis of steps.`
      : `The loss of ${model} was not measured: choose the axis of steps.`;
  }
  function xAxis() {
    const all = Object.keys(tree.models).flatMap((model) => places(model)).filter((value) => value !== null);
    const title = { step: "training step", tokens: "training tokens",
      loss: "loss on the training distribution (nats per token)" }[state.axis];
    const scale = { type: state.scale, nice: false, ...(state.scale === "log" ? {} : { zero: false }) };
    if (state.axis === "loss") scale.reverse = true;
    const axis = { title, format: state.axis === "loss" ? ".3~g" : "~s" };
    if (state.scale === "log" && state.axis !== "loss" && all.length) {
      const zero = zeroPlace(), last = Math.max(...all);
      const tens = [];
      for (let ten = 10 ** Math.ceil(Math.log10(zero * 1.5)); ten <= last; ten *= 10) tens.push(ten);
      axis.values = all.includes(0) ? [zero, ...tens] : tens;
      axis.labelExpr = `datum.value === ${zero} ? '0' : format(datum.value, '~s')`;
    }
    return { field: "x", type: "quantitative", scale, axis };
  }

  // Ticks of a logarithmic axis: round numbers, fewer where there are many decades.
  function ticks(low, high) {
    const decades = Math.log10(high / low), found = [];
    for (let ten = Math.floor(Math.log10(low)); ten <= Math.log10(high); ten++)
      for (const one of decades > 5 ? [1] : decades > 2.5 ? [1, 3] : [1, 2, 5]) found.push(Number(`${one}e${ten}`));
    return found.filter((one) => one >= low && one <= high);
  }

  // --- the bar of choices --------------------------------------------------------------------------------------------

  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const byId = (id) => document.getElementById(id);

  function fill(select, names) {
    select.replaceChildren(...names.map((name) => make("option", { value: name, textContent: name })));
    select.closest("label").hidden = names.length < 2;
  }
  function show() {
    if (state.panel !== null) fill(byId("choose-panel"), trees.map((other) => other.panel));
    else byId("choose-panel").closest("label").hidden = true;
    fill(byId("choose-subject"), tree.subjects.map((other) => other.name));
    fill(byId("choose-model"), [...new Set(own(state.subject))]);
    fill(byId("choose-stratum"), tree.strata.map((other) => other.name));
    for (const key of ["panel", "subject", "model", "stratum"]) byId("choose-" + key).value = state[key];
    for (const key of Object.keys(CHOICES))
      for (const radio of document.getElementsByName(key)) radio.checked = radio.value === state[key];
    byId("choose-control").checked = state.control;
    byId("choose-control").closest("label").hidden = !tree.subjects.some((other) => other.controls.length);
    const { steps, tokens, loss, quarantined } = tree.models[state.model];
    const slider = byId("choose-step"), place = steps.indexOf(state.step);
    slider.max = steps.length - 1;
    slider.value = place;
    const more = [tokens[place] === null || tokens[place] === undefined ? "" : `${compact.format(tokens[place])} tokens`,
      loss[place] === null || loss[place] === undefined ? "" : `loss ${loss[place].toFixed(3)}`,
      quarantined[place] ? "quarantined" : ""].filter(Boolean);
    byId("said-step").textContent = [`step ${state.step === null ? "–" : state.step.toLocaleString("en")}`, ...more].join(" · ");
    slider.setAttribute("aria-valuetext", byId("said-step").textContent);
    byId("choose-neuron").value = state.neuron ?? "";
    // Of weights alone there is neither.
    byId("choose-neuron").closest("label").hidden = document.getElementsByName("part")[0].closest("fieldset").hidden = !tree.strata.length;
  }

  function listen() {
    const steps = () => tree.models[state.model].steps;
    for (const key of ["panel", "subject", "model", "stratum"])
      byId("choose-" + key).addEventListener("change", (event) => set({ [key]: event.target.value }));
    for (const key of Object.keys(CHOICES))
      for (const radio of document.getElementsByName(key)) radio.addEventListener("change", () => set({ [key]: radio.value }));
    byId("choose-control").addEventListener("change", (event) => set({ control: event.target.checked }));
    byId("choose-step").addEventListener("input", (event) => set({ step: steps()[Number(event.target.value)] }));
    byId("choose-neuron").addEventListener("change", (event) =>
      set({ neuron: event.target.value === "" ? null : Math.max(0, Math.round(Number(event.target.value))) }));
    let timer = null;
    const stop = () => { clearInterval(timer); timer = null; byId("play").textContent = "▶"; byId("play").setAttribute("aria-label", "play"); };
    byId("play").addEventListener("click", () => {
      if (timer) return stop();
      if (state.step === steps().at(-1)) set({ step: steps()[0] });
      byId("play").textContent = "❚❚";
      byId("play").setAttribute("aria-label", "pause");
      timer = setInterval(() => {
        if (waiting) return; // the last step is still being drawn
        const next = steps()[steps().indexOf(state.step) + 1];
        if (next === undefined) stop(); else set({ step: next });
      }, Math.max(120, 6000 / steps().length));
    });
  }

  // --- public --------------------------------------------------------------------------------------------------------

  window.atlas = {
    get tree() { return tree; },
    state, set, array, x, xAxis, xMissing, ticks, settled, see, enlarged,
    view: (name, script) => views.set(name, script),
    facts: (name) => facts[scope()]?.[name] ?? facts[""]?.[name] ?? {},
    body: (view) => [...document.querySelectorAll(`#view-${view} > .body`)].find((one) => current(one.dataset)),
    panels: () => trees.map((one) => one.panel),
    subject: () => subject(state.subject),
    held: (model, step) => tree.models[model].quarantined[tree.models[model].steps.indexOf(step)] ?? false,
    models(name = state.subject) {
      const one = subject(name);
      return [...one.runs, ...(state.control ? one.controls : [])];
    },
    colour: (stratum) => tree.strata.find((one) => one.name === stratum)?.colour ?? "#333",
    listen: (listener) => listeners.push(listener),
    drawn: (view, slot) => slotOf(view, slot)?.drawn?.view,
    rowsOf: (view, slot) => slotOf(view, slot)?.rows,
    walk: (view, slot) => views.get(view)?.walk?.(slot, slotOf(view, slot).rows, state) ?? null,
    slots: () => [...slots.values()].filter(current).map(({ view, slot, element }) => ({ view, slot, element })),
    start() {
      Object.assign(state, completed(fromAddress()));
      turn();
      window.addEventListener("hashchange", () => set(fromAddress()));
      for (const element of document.querySelectorAll("figure.slot")) {
        const { scope, view, slot } = element.dataset, id = `${scope}:${view}/${slot}`;
        slots.set(id, { id, scope, view, slot, element, stale: "shape", seen: false, rows: {} });
      }
      listen();
      show();
      listeners.push(show);
      let resized = null;
      window.addEventListener("resize", () => {
        clearTimeout(resized);
        resized = setTimeout(() => {
          for (const one of slots.values()) if (views.get(one.view)?.resizes) one.stale = "shape";
          schedule();
        }, 150);
      });
      const watcher = new IntersectionObserver((entries) => {
        for (const { target: { dataset: { scope, view, slot } }, isIntersecting } of entries)
          slots.get(`${scope}:${view}/${slot}`).seen = isIntersecting;
        schedule();
      }, { rootMargin: "400px" });
      for (const { element } of slots.values()) watcher.observe(element);
    },
  };
})();
