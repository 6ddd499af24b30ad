"""What a configuration asks for: models with their checkpoints, panels and subjects, and every file that they make."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

from rare_neurons.catalogue import AT_DECLARED_STEPS, QUANTITIES, RULES, TABLES, TIMELINES
from rare_neurons.checkpoints.files import read_config
from rare_neurons.checkpoints.schedules import declared_among, steps_of_model
from rare_neurons.checkpoints.sources import Source, found_steps
from rare_neurons.configuration.needed import measures_influence
from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import family_of
from rare_neurons.families.bounds import check_config, expected_shapes

MANIFEST, TOKENIZER, RECIPE = "manifest", "tokenizer", "pretrain"
"""Kinds of files that are no tables."""
OTHERS = {
    MANIFEST: "manifest/{model}/step{step}.json",
    TOKENIZER: "tokenizer/{tokenizer}/tokenizer.json",
    RECIPE: "pretrain/{model}/recipe.json",
}
_OF_LATER_RULES = ("heldout_every", "heldout_max_bytes", "smoothing", "max_tokens", "unigram_counts")
_SECTION_OF = {"layer_evidence": "layers", "activity_evidence": "activity"}
Key = tuple[str | int, ...]
"""As `rare_neurons.tables.Key`, for tables and for the others."""
Entry = Mapping[str, object]
Config = Mapping[str, Mapping[str, Entry]]


def steps_asked(config: Config, *, listing: bool = True) -> dict[str, list[int]]:
    """Checkpoints of every model; `listing`: whether the folders of local ones can be listed here.

    Raises
    ------
    RequestError
        If those that are there are asked for, and there is none or they cannot be listed, naming the model.
    """
    recipes = config.get("recipes", {})
    return {model: _steps(model, entry, recipes, listing) for model, entry in config["models"].items()}


def _steps(model: str, entry: Entry, recipes: Mapping[str, Entry], listing: bool) -> list[int]:
    named = steps_of_model(entry, recipes)
    if named is None and not listing:
        raise RequestError(
            f"model {model}: steps: found, but {entry['path']} lies in storage, where folders are not listed; "
            "name the steps in the configuration"
        )
    try:
        return list(found_steps(Source("folder", str(entry["path"]))) if named is None else named)
    except RequestError as error:
        raise RequestError(f"model {model}: {error}") from None


@dataclass(frozen=True)
class Asked:
    """A complete configuration.

    Attributes
    ----------
    config : mapping
    steps : mapping of str to sequence of int
        Checkpoints of every model.
    """

    config: Config
    steps: Mapping[str, Sequence[int]]

    def panels_of(self, model: str) -> list[str]:
        """Panels that a model is evaluated at: those with its tokenizer."""
        if not self.measures_influence:
            return []
        tokenizer = self.config["models"][model]["tokenizer"]
        return [name for name, panel in self.config["panels"].items() if panel["tokenizer"] == tokenizer]

    def panels_at(self, rule: str | None, model: str) -> list[str]:
        """Panels of a model that a rule measures: one of `AT_DECLARED_STEPS` those with a stratum that it asks for."""
        strata = set(self.config[rule]["strata"]) if rule in AT_DECLARED_STEPS else None
        panels = self.panels_of(model)
        return [p for p in panels if strata is None or strata & set(self.config["panels"][p]["strata"])]

    @property
    def measures_influence(self) -> bool:
        """Whether anything is measured on text; spectra alone need none."""
        return measures_influence(self.config)

    def is_asked(self, table: str) -> bool:
        """Whether a table, or a timeline, is one of those that this run makes for its models and subjects."""
        about = {**TABLES, **TIMELINES}[table]
        rule = _rule_of(table if table in TABLES else table.removeprefix("timelines/"))
        return self.does(str(rule)) and (self.measures_influence or "panel" not in about.place)

    def members(self, subject: str) -> list[str]:
        """List the runs of a subject, or the model itself."""
        return [name for name, one in self.config["models"].items() if one.get("subject") == subject] or [subject]

    def judged(self, subject: str) -> list[str]:
        """List the runs of a subject and its controls."""
        return self.members(subject) + self.controls(subject)

    def controls(self, subject: str) -> list[str]:
        """List the models declared as the control of a subject."""
        return [name for name, one in self.config["models"].items() if one.get("control_of") == subject]

    @property
    def subjects(self) -> list[str]:
        """What is drawn and dated: subjects, and models that belong to none."""
        return list(dict.fromkeys(one.get("subject", name) for name, one in self.config["models"].items()))

    def family_of(self, model: str) -> str:
        """Subject whose null a model shares."""
        entry = self.config["models"][model]
        return str(entry.get("control_of", entry.get("subject", model)))

    def n_neurons(self, model: str) -> int | None:
        """Size of the final layer, where it is known beforehand: configured, or told by a local checkpoint."""
        entry = self.config["models"][model]
        if entry["source"] == "pretrain":
            return self.config["recipes"][entry["recipe"]]["mlp_size"]
        if "n_neurons" in entry or entry["source"] != "folder":
            return entry.get("n_neurons")
        return _neurons_of(Source("folder", str(entry["path"])), tuple(self.steps[model]))

    def tokens_per_step(self, model: str) -> int | None:
        """Training tokens per step, where they are known."""
        entry = self.config["models"][model]
        if entry["source"] != "pretrain":
            return entry.get("tokens_per_step")
        recipe = self.config["recipes"][entry["recipe"]]
        return recipe["batch_size"] * recipe["context_length"]

    def text_source(self, corpus: str) -> Entry:
        """Keys of a corpus that say where its documents are."""
        return _without(self.config["corpora"][corpus], *_OF_LATER_RULES)

    def heldout(self, corpus: str) -> Entry:
        """Keys of a corpus that say which of its documents are for panels."""
        return {key: value for key, value in self.config["corpora"][corpus].items() if key.startswith("heldout_")}

    def panel_settings(self, panel: str) -> Entry:
        """How a panel is drawn."""
        return _without(self.config["panels"][panel], "corpus", "tokenizer")

    @property
    def probe_options(self) -> Entry:
        """How a probe measures; where it does so changes nothing."""
        return _without(self.config["probe"], "placement")

    @property
    def thresholds(self) -> Entry:
        """Limits of integrity."""
        return _without(self.config["integrity"], "n_projections")

    def metric_options(self, rule: str) -> Entry:
        """Keyword arguments of a metric, or of the spectra of sets."""
        return _without(self.config.get(rule, {}), "n_draws")

    def declared_options(self, rule: str) -> Entry:
        """How a rule measures that has checkpoints of its own; at which ones changes no table."""
        return _without(self.config[rule], "steps")

    def declared_steps(self, rule: str, model: str) -> list[int]:
        """Checkpoints of a model that a rule of `AT_DECLARED_STEPS` looks at."""
        # What a run of an earlier version has noted lacks the section.
        asked = self.config.get(rule, {}).get("steps", "none")
        return declared_among(asked, self.steps[model]) if asked != "none" and self.panels_at(rule, model) else []

    def intervals(self, model: str) -> list[str]:
        """Pairs of adjacent checkpoints, such as ``16-128``, whose loss change is divided among the weights."""
        return [f"{a}-{b}" for a, b in pairwise(self.declared_steps("allocation", model))]

    def between(self, model: str, interval: str) -> int | None:
        """Checkpoint in the middle of an interval, where the line by way of it is asked for and there is one."""
        before, after = map(int, interval.split("-"))
        inside = [step for step in self.steps[model] if before < step < after]
        return inside[len(inside) // 2] if self.config["allocation"]["path"] and inside else None

    def does(self, rule: str) -> bool:
        """Whether a rule has anything to do: one that has checkpoints of its own may have none."""
        section = _SECTION_OF.get(rule, rule)
        if section == "allocation":
            return any(self.intervals(model) for model in self.steps)
        return section not in AT_DECLARED_STEPS or any(self.declared_steps(section, model) for model in self.steps)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Tables that this run makes."""
        return tuple(name for name in TABLES if self.is_asked(name))

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        """Those of them whose shards are joined over steps."""
        return tuple(name for name in QUANTITIES if self.is_asked(f"timelines/{name}"))

    @property
    def evidence_tables(self) -> list[str]:
        """Tables whose shards tiers of evidence are judged from."""
        return sorted({str(one["table"]) for one in self.config["evidence"]["questions"].values()} | {"moments"})

    def of_checkpoints(self, kind: str, model: str) -> list[Key]:
        """Keys of one kind of shard, or of the manifests, for all panels and steps (or intervals) of a model."""
        panels = [(p,) for p in self.panels_at(_rule_of(kind), model)] if "panel" in _wildcards(kind) else [()]
        return [(kind, *panel, model, item) for panel in panels for item in self.items_of(kind, model)]

    def items_of(self, kind: str, model: str) -> Sequence[int | str]:
        """Return the steps, or intervals, of a model at which there is one kind of shard."""
        if "interval" in _wildcards(kind):
            return self.intervals(model)
        rule = _rule_of(kind)
        return self.declared_steps(rule, model) if rule in AT_DECLARED_STEPS else self.steps[model]

    @cached_property
    def corpora(self) -> dict[tuple[str, str], None]:
        """Pairs of corpus and tokenizer of all panels that are measured, and of models that are trained here."""
        panels = [self.config["panels"][name] for model in self.steps for name in self.panels_of(model)]
        trained = [one for one in self.config["models"].values() if one["source"] == "pretrain"]
        return dict.fromkeys((str(one["corpus"]), str(one["tokenizer"])) for one in (*panels, *trained))

    @cached_property
    def keys(self) -> list[Key]:
        """Every file that a whole run makes, but for figures, logs and the summary."""
        return list(dict.fromkeys((*self._of_text(), *self._of_models(), *self._of_subjects())))

    def _of_text(self) -> Iterator[Key]:
        used = [one for one in self.config["models"].values() if "tokenizer" in one]
        tokenizers = list(dict.fromkeys(str(one["tokenizer"]) for one in used)) if self.measures_influence else []
        texts = [corpus for corpus, _ in self.corpora]
        texts += [str(one["corpus"]) for name in tokenizers if "corpus" in (one := self.config["tokenizers"][name])]
        yield from (("text", corpus) for corpus in texts)
        yield from ((TOKENIZER, name) for name in tokenizers)
        yield from ((table, *pair) for pair in self.corpora for table in ("corpus/tokens", "corpus/unigram"))
        panels = [panel for model in self.steps for panel in self.panels_of(model)]
        yield from ((table, panel) for panel in panels for table in TABLES if table.startswith("panel/"))

    def _of_models(self) -> Iterator[Key]:
        shards = [name for name in self.tables if {"step", "interval"} & {*TABLES[name].wildcards}]
        joined = [name for name in self.tables if TABLES[name].wildcards == ("model",)]
        joined += [f"timelines/{name}" for name in self.quantities]
        for model, entry in self.config["models"].items():
            yield from [(RECIPE, model)] if entry["source"] == "pretrain" else []
            for kind in (MANIFEST, *shards):
                yield from self.of_checkpoints(kind, model)
            yield from ((name, model) for name in joined)
            n = self.n_neurons(model)
            yield from [] if n is None or not self.panels_of(model) else [("null_tables", str(n))]

    def _of_subjects(self) -> Iterator[Key]:
        yield from (("alpha_null", self.family_of(model)) for model in self.steps)
        dated = [name for name in self.tables if TABLES[name].wildcards == ("subject",) and name != "alpha_null"]
        yield from ((name, subject) for subject in self.subjects for name in dated)


@cache
def _neurons_of(source: Source, steps: tuple[int, ...]) -> int | None:
    """Neurons by the first checkpoint that tells them; what is wrong with one that does not, its job will say."""
    for step in steps:
        try:
            config = read_config(source.folder(step))
            family = family_of(config)
            check_config(family, config)
        except (DataFault, RequestError, OSError):
            continue
        return expected_shapes(family, config)["W_in"][0]
    return None


def _without(entry: Entry, *names: str) -> Entry:
    return {key: value for key, value in entry.items() if key not in names}


def path_of(key: Key) -> str:
    """Return the path of a file below the results folder."""
    name, *values = key
    pattern = _pattern(str(name))
    return pattern.format(**dict(zip(_wildcards(str(name)), values, strict=True)))


def paths_of(keys: Iterable[Key]) -> list[str]:
    """Return the paths of files below the results folder."""
    return [path_of(key) for key in keys]


@cache  # a sweep has a hundred thousand files
def _pattern(name: str) -> str:
    return OTHERS[name] if name in OTHERS else {**TABLES, **TIMELINES}[name].path


@cache
def _rule_of(name: str) -> str | None:
    return next((rule.name for rule in RULES if name in {table.name for table in rule.tables}), None)


@cache
def _wildcards(name: str) -> tuple[str, ...]:
    return tuple(part.split("}")[0] for part in _pattern(name).split("{")[1:])
