"""Names of a configuration that must exist, and values that are allowed one by one and cannot be together."""

from collections.abc import Iterable, Mapping
from itertools import combinations

from rare_neurons.configuration.needed import measures_influence

_STRATA = ("stratum", "against")
_MIN_PLACEBO = 2
N_FOLDS = 12
"""Folds of documents in every panel; `rare_neurons.numerics.grid.folds` has the same."""
Entries = Mapping[str, Mapping[str, object]]


def dangling_names(config: Mapping[str, Entries]) -> Iterable[str]:
    """Names that an entry refers to and that are not there."""
    references = {
        "tokenizers": {"corpus": "corpora"},
        "panels": {"corpus": "corpora", "tokenizer": "tokenizers"},
        "models": {"corpus": "corpora", "tokenizer": "tokenizers", "recipe": "recipes"},
    }
    for section, keys in references.items():
        for name, entry in config[section].items():
            for key, target in keys.items():
                if key not in entry:
                    continue
                known = set(config.get(target, {}))
                if entry[key] not in known:
                    listed = ", ".join(sorted(known)) or "none"
                    yield f"{section}.{name}.{key}: {entry[key]!r} is not among the {target}: {listed}"
    for name, entry in config["models"].items() if measures_influence(config) else ():
        if "tokenizer" not in entry:
            yield f"models.{name}: key 'tokenizer' is missing; only spectra (targets: [spectra]) do without"
        elif not any(p["tokenizer"] == entry["tokenizer"] for p in config["panels"].values()):
            yield f"models.{name}: no panel uses its tokenizer {entry['tokenizer']!r}; add one under panels"


def contradictions(config: Mapping[str, Entries]) -> Iterable[str]:
    """Values that are allowed one by one and cannot be together."""
    yield from _of_recipes(config)
    yield from _of_panels(config)
    yield from _of_subjects(config["models"])
    yield from _of_devices(config["probe"])
    if "spectra" not in config["targets"]:
        yield f"targets: {config['targets']} is not allowed; spectra must be among them, for integrity comes with them"
    n = int(config["integrity"]["n_projections"])
    if n & (n - 1):
        yield f"integrity.n_projections: {n} is not allowed; a power of two is needed"
    if not measures_influence(config):
        return
    strata = {name for panel in config["panels"].values() for name in panel["strata"]}
    asked = config["evidence"]["questions"]
    wanted = [(f"evidence.questions.{k}.{key}", q[key]) for k, q in asked.items() for key in _STRATA if key in q]
    wanted += [("regimes.compare", name) for pair in config["regimes"]["compare"] for name in pair]
    for section in ("set_spectra", "layers", "allocation", "activity"):
        wanted += [(f"{section}.strata", name) for name in config[section]["strata"]]
    for place, name in wanted:
        if name not in strata:
            yield f"{place}: {name!r} is not among the strata of any panel: {', '.join(sorted(strata))}"
    yield from _of_questions(config)


def _of_questions(config: Mapping[str, Entries]) -> Iterable[str]:
    for name, question in config["evidence"]["questions"].items():
        if "against" not in question:
            continue
        place = f"evidence.questions.{name}.against"
        if question["against"] == question["stratum"]:
            yield f"{place}: {question['against']!r} is not allowed; it is the question's own stratum, name another"
        if not question["column"].endswith("_within") or question["table"] != "moments":
            column = question["column"]
            yield f"{place}: {column!r} has no placebo; only within-stratum columns of moments can be specific"
        elif config["probe"]["placebo_draws"] < _MIN_PLACEBO:
            drawn = config["probe"]["placebo_draws"]
            yield f"{place}: probe.placebo_draws {drawn} is not allowed with it; {_MIN_PLACEBO} is the least"


def _of_recipes(config: Mapping[str, Entries]) -> Iterable[str]:
    for name, recipe in config.get("recipes", {}).items():
        if recipe["hidden_size"] % recipe["n_heads"]:
            yield f"recipes.{name}: hidden_size {recipe['hidden_size']} is no multiple of n_heads {recipe['n_heads']}"
    for name, model in config["models"].items():
        if model["source"] != "pretrain":
            continue
        recipe = config["recipes"][model["recipe"]]
        if isinstance(model["steps"], list) and max(model["steps"]) > recipe["n_steps"]:
            last = f"the recipe {model['recipe']!r} ends at step {recipe['n_steps']}"
            yield f"models.{name}.steps: {max(model['steps'])} is not allowed; {last}"
        for panel_name, panel in config["panels"].items():
            if panel["tokenizer"] == model["tokenizer"] and panel["context_length"] > recipe["context_length"]:
                limit = f"model {name} is trained on contexts of {recipe['context_length']}"
                yield f"panels.{panel_name}.context_length: {panel['context_length']} is not allowed; {limit}"


def _of_panels(config: Mapping[str, Entries]) -> Iterable[str]:
    for name, panel in config["panels"].items():
        if panel["context_length"] < panel["min_position"] + 2:
            least = panel["min_position"] + 2
            yield f"panels.{name}.context_length: {panel['context_length']} is not allowed; {least} is the least"
        for stratum, rule in panel["strata"].items():
            interval = next(iter(rule.values()))
            if isinstance(interval, list) and interval[0] >= interval[1]:
                yield f"panels.{name}.strata.{stratum}: {interval} is empty; from must be below to"
        yield from _overlaps(name, panel["strata"])
        most = config["corpora"][panel["corpus"]].get("max_documents", N_FOLDS)
        if most < N_FOLDS:
            place = f"corpora.{panel['corpus']}.max_documents: {most}"
            yield f"{place} is not allowed; the panel {name} has {N_FOLDS} folds of documents, {N_FOLDS} is the least"


def _overlaps(panel: str, strata: Entries) -> Iterable[str]:
    """Strata of one kind that share token types."""
    for (first, one), (second, other) in combinations(strata.items(), 2):
        (kind, mine), (same, yours) = next(iter(one.items())), next(iter(other.items()))
        shared = mine == yours if kind == "elbow" else kind == same and mine[0] < yours[1] and yours[0] < mine[1]
        if kind == same and shared:
            place = f"panels.{panel}.strata.{second}"
            yield f"{place}: {kind} {yours} is not allowed; it shares token types with {first} ({mine})"


def _of_devices(probe: Mapping[str, object]) -> Iterable[str]:
    kind, _, number = str(probe["device"]).partition(":")
    if kind == "mps" and probe["dtype"] == "float64":
        yield "probe.dtype: 'float64' is not allowed; mps has float32 and bfloat16 alone"
    main, room = "cpu" if kind == "cpu" else str(int(number or 0)), probe.get("placement", {}).get("max_memory_gb")
    if room is not None and main not in room:
        place = f"probe.placement.max_memory_gb: {', '.join(room)} is not allowed alone"
        yield f"{place}; the readout is on probe.device {probe['device']}, so {main!r} must be among the keys"


def _of_subjects(models: Entries) -> Iterable[str]:
    tokenizers: dict[object, set] = {}
    for name, model in models.items():
        subject = model.get("subject")
        if subject in models:
            yield f"models.{name}.subject: {subject!r} is the name of a model; choose another"
        if subject is not None:
            tokenizers.setdefault(subject, set()).add(str(model.get("tokenizer")))
        yield from _of_control(name, model, models)
    for subject, names in tokenizers.items():
        if len(names) > 1:
            mixed = ", ".join(sorted(names))
            yield f"models: subject {subject!r} mixes the tokenizers {mixed}; its runs share one panel"


def _of_control(name: str, model: Mapping[str, object], models: Entries) -> Iterable[str]:
    subject = model.get("control_of")
    if subject is None:
        return
    place = f"models.{name}.control_of"
    runs = {n: m for n, m in models.items() if m.get("subject", n) == subject and n != name}
    if not runs:
        known = sorted({str(m.get("subject", n)) for n, m in models.items() if n != name})
        yield f"{place}: {subject!r} is no subject and no model without one; known: {', '.join(known) or 'none'}"
    if model.get("subject") == subject:
        yield f"{place}: {subject!r} is not allowed; it is the model's own subject, a control has another or none"
    if any("control_of" in m for m in runs.values()):
        yield f"{place}: {subject!r} is a control itself; a control needs a run that is none"
    other = sorted({str(m.get("tokenizer")) for m in runs.values()} - {str(model.get("tokenizer"))})
    if other:
        own = model.get("tokenizer")
        yield f"{place}: {subject!r} has the tokenizer {other[0]!r}, not {own!r}; they share one panel"
    if model.get("text") == "natural":
        yield f"{place}: its text is natural; a control is trained on unigram_shuffled text"
