"""What a configuration says of each file, beside what the file says of itself."""

import json
from collections.abc import Callable, Mapping

from rare_neurons.catalogue import RULES, TABLES, TIMELINES, VERSIONS
from rare_neurons.origins.asked import MANIFEST, RECIPE, TOKENIZER, Asked, Key

Params = Mapping[str, object]
DERIVED = {"alpha_null": ("n_draws", "shapes"), "alpha": ("level", "persistence", "jump")}
"""Parameters that follow from inputs or stand in the code; the configuration does not say them."""
_FACTS = {"corpus": ("vocab_size",)}
"""Facts in the metadata that a configuration may ask for: a tokenizer file does not say how it was made."""


def rule_of(key: Key) -> str:
    """Name of the rule that makes a file."""
    name = str(key[0])
    if name in TIMELINES:
        return "timelines"
    known = {table.name: rule.name for rule in RULES for table in rule.tables}
    return known.get(name) or {MANIFEST: "resolve", TOKENIZER: "tokenizer", RECIPE: "pretrain"}[name]


def params_of(asked: Asked, key: Key) -> Params:
    """List what the configuration says of a table's parameters, or of a recipe's or a manifest's own keys."""
    rule = rule_of(key)
    return _plain(_PARAMS[rule](asked, key) if rule in _PARAMS else asked.metric_options(rule))


def differing(asked: Asked, key: Key, about: Params) -> dict[str, tuple[object, object]]:
    """Keys in which a file's metadata differ from the configuration or the rule's version: (file, configuration).

    Parameters
    ----------
    asked : Asked
    key : tuple
        Of the file.
    about : mapping
        Its provenance (`rare_neurons.tables.read_metadata`), or the content of a recipe or manifest.
    """
    rule, wanted = rule_of(key), params_of(asked, key)
    if has_metadata(key):
        found = {name: value for name, value in about["params"].items() if name not in DERIVED.get(rule, ())}
        found |= {name: about.get(name) for name in _FACTS.get(rule, ()) if name in wanted}
        found["rule_version"] = about["rule_version"]
    else:
        found = {name: about.get(name) for name in wanted} | {"rule_version": about.get("version", VERSIONS[rule])}
    flat, due = _flat(_plain(found)), _flat({**wanted, "rule_version": VERSIONS[rule]})
    return {name: (flat.get(name), due.get(name)) for name in (*due, *flat) if flat.get(name) != due.get(name)}


def _text(asked: Asked, key: Key) -> Params:
    return {"source": asked.text_source(str(key[1])), **asked.heldout(str(key[1]))}


def _corpus(asked: Asked, key: Key) -> Params:
    entry, codec = asked.config["corpora"][key[1]], asked.config["tokenizers"][key[2]]
    size = {"vocab_size": codec["vocab_size"]} if codec["source"] == "train" else {}
    settings = {"smoothing": entry["smoothing"], "max_tokens": entry.get("max_tokens")}
    return {"end_of_text": codec["end_of_text"], **settings, **size}


def _probe(asked: Asked, key: Key) -> Params:
    return {**asked.probe_options, "strata": asked.config["panels"][key[1]]["strata"]}


def _layers(asked: Asked, key: Key) -> Params:
    return {**asked.declared_options("layers"), "strata_of_panel": asked.config["panels"][key[1]]["strata"]}


def _allocation(asked: Asked, key: Key) -> Params:
    return {**asked.declared_options("allocation"), "strata_of_panel": asked.config["panels"][key[1]]["strata"]}


def _activity(asked: Asked, key: Key) -> Params:
    return {**asked.declared_options("activity"), "strata_of_panel": asked.config["panels"][key[1]]["strata"]}


def _layer_evidence(asked: Asked, _: Key) -> Params:
    return {"rule": asked.config["evidence"]["rule"]}


def _activity_evidence(asked: Asked, _: Key) -> Params:
    evidence = {key: asked.config["evidence"][key] for key in ("rule", "step")}
    return {"evidence": evidence, "strata": asked.config["activity"]["strata"]}


def _spectra(asked: Asked, key: Key) -> Params:
    n_projections = asked.config["integrity"]["n_projections"]
    options = {"spectra": asked.config["spectra"], "fingerprint": {"n_projections": n_projections}}
    return options.get(str(key[0]), {})


def _null_tables(asked: Asked, key: Key) -> Params:
    return {"n_neurons": int(key[1])} | {name: asked.config["regimes"][name] for name in ("n_draws", "seed")}


def _timelines(asked: Asked, key: Key) -> Params:
    name, model = str(key[0]), str(key[1])
    return {"quantity": name.removeprefix("timelines/"), "tokens_per_step": asked.tokens_per_step(model)}


def _recipe(asked: Asked, key: Key) -> Params:
    entry = asked.config["models"][key[1]]
    known = {"seed": entry["seed"], "text": entry["text"], "steps": asked.steps[str(key[1])]}
    return {"recipe": asked.config["recipes"][entry["recipe"]], **known}


def _manifest(asked: Asked, key: Key) -> Params:
    entry, step = asked.config["models"][key[1]], str(key[2])
    if entry["source"] == "pretrain":  # beside its recipe, in whatever folder that is
        return {}
    hub = entry["source"] == "hub"
    return {"source": entry["source"], "location": entry["repo"] if hub else entry["path"].replace("{step}", step)}


_PARAMS: dict[str, Callable[[Asked, Key], Params]] = {
    "text": _text,
    "corpus": _corpus,
    "panel": lambda asked, key: asked.panel_settings(str(key[1])),
    "probe": _probe,
    "spectra": _spectra,
    "layers": _layers,
    "allocation": _allocation,
    "activity": _activity,
    "layer_evidence": _layer_evidence,
    "activity_evidence": _activity_evidence,
    "null_tables": _null_tables,
    "timelines": _timelines,
    "pretrain": _recipe,
    "resolve": _manifest,
    "tokenizer": lambda *_: {},
    "evidence": lambda asked, _: asked.config["evidence"],
    "lineage": lambda asked, _: {"share": asked.config["lineage"]["share"]},
    "alpha_null": lambda asked, _: {name: asked.config["spectra"][name] for name in ("min_tail", "seed")},
    "alpha": lambda *_: {},
    "integrity": lambda asked, _: asked.thresholds,
}
"""By rule; every other rule works on influence and has a section of its own name."""


def has_metadata(key: Key) -> bool:
    """Whether a file is a table, with provenance."""
    return key[0] in TABLES or key[0] in TIMELINES


def _plain(value: Params) -> Params:
    """As it comes back from a file."""
    return json.loads(json.dumps(value))


def _flat(value: object, name: str = "") -> dict[str, object]:
    """Leaves by their dotted name; lists are leaves."""
    if not isinstance(value, Mapping):
        return {name: value}
    return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{name}.{key}" if name else key).items()}
