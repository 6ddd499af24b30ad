"""From a configuration to `plan_work`: what each model is asked for, its cost, and that of other panels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tokenizers import Tokenizer

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.configuration.needed import measures_influence
from rare_neurons.numerics.panel.targets import MOST_FOUND
from rare_neurons.stages.panel import FOUND
from rare_neurons.stages.plan_panel import Size
from rare_neurons.stages.plan_shape import Shape, shape_of_files, shape_of_recipe
from rare_neurons.stages.plan_work import (
    ModelWork,
    Options,
    PanelLoad,
    bytes_of_model,
    bytes_of_run,
    core_speed,
    seconds_of_model,
    seconds_of_run,
)

_CONTEXTS_FOUND = 1_000  # ASSUME: where a panel takes all of its text, and that is not there yet


@dataclass(frozen=True)
class Declared:
    """What a configuration asks for.

    Attributes
    ----------
    config : mapping
        The complete configuration.
    steps : mapping of str to int
        Checkpoints of each model.
    more : mapping
        As `plan.Request.declared`.
    tokenizers : mapping
        Paths of those that are there.
    drawn : mapping of str to (int, int)
        Contexts and targets of the panels that can be drawn already.
    """

    config: Mapping[str, Mapping[str, object]]
    steps: Mapping[str, int]
    more: Mapping[str, Mapping[str, int]]
    tokenizers: Mapping[str, str]
    drawn: Mapping[str, tuple[int, int]]


def cost_of_run(
    declared: Declared, manifests: Sequence[Manifest], *, panels: Mapping[str, Sequence[Size]], whole: bool = True
) -> dict[str, object]:
    """Estimate core-seconds and bytes.

    Parameters
    ----------
    declared : Declared
    manifests : sequence of Manifest
    panels : mapping
        Panels that can be drawn, each with what could be had instead.
    whole : bool
        Whether what is done once, and once for each subject, counts.

    Returns
    -------
    dict
        ``device``, ``gflops``, ``core_seconds`` by stage, ``models`` (core-seconds of each), ``unknown`` (models whose
        size nothing tells), ``results_bytes``, and ``other_panels``: of each panel's changes the cost over that of the
        run as it is.
    """
    speed = core_speed()
    works = {name: work for name in declared.steps if (work := _work(declared, name, manifests)) is not None}
    seconds = {name: seconds_of_model(work, speed) for name, work in works.items()}
    stages: dict[str, float] = {}
    for one in (*seconds.values(), seconds_of_run(_n_subjects(declared)) if whole else {}):
        for stage, value in one.items():
            stages[stage] = stages.get(stage, 0.0) + value
    return {
        "device": str(declared.config["probe"]["device"]),
        "gflops": speed / 1e9,
        "core_seconds": stages,
        "models": {name: sum(one.values()) for name, one in seconds.items()},
        "unknown": [name for name in declared.steps if name not in works],
        "results_bytes": sum(map(bytes_of_model, works.values())) + (bytes_of_run() if whole else 0),
        "other_panels": {
            name: _of_other_panels(declared, name, sizes, (works, speed), sum(stages.values()))
            for name, sizes in panels.items()
        },
    }


def _of_other_panels(
    declared: Declared, name: str, sizes: Sequence[Size], known: tuple[Mapping[str, ModelWork], float], now: float
) -> dict[str, float]:
    """Cost of the whole run with another panel over that with this one, by change."""
    (works, speed), found = known, {}
    for size in sizes[1:]:
        if size.reason is None:
            other = replace(declared, drawn={**declared.drawn, name: (int(size.n_contexts or 0), size.n_targets)})
            more = sum(
                sum(seconds_of_model(replace(work, panels=_loads(other, model)), speed).values())
                - sum(seconds_of_model(work, speed).values())
                for model, work in works.items()
            )
            found[size.change] = 1 + more / now if now else 1.0
    return found


def _n_subjects(declared: Declared) -> int:
    models = declared.config["models"]
    return len({models[name].get("subject", name) for name in declared.steps})


def _work(declared: Declared, name: str, manifests: Sequence[Manifest]) -> ModelWork | None:
    config, asked = declared.config, declared.more.get(name, {})
    entry = config["models"][name]
    shape, tokens, updates = _shape(declared, name, manifests)
    if shape is None:
        return None
    loads = _loads(declared, name)
    return ModelWork(
        shape,
        n_checkpoints=declared.steps[name] if entry["source"] == "pretrain" else _n_good(name, manifests),
        in_a_job=int(asked.get("in_a_job", 1)),
        panels=loads,
        trained_tokens=tokens,
        n_updates=updates,
        layers=_of_contexts(config, "layers", loads) * int(asked.get("layers", 0)),
        intervals=_of_contexts(config, "allocation", loads) * int(asked.get("intervals", 0)),
        n_activity=int(asked.get("activity", 0)) * len(loads),
        audited=int(config["layers"]["n_top"]) + int(config["layers"]["n_random"]),
        options=_options(config),
    )


def _n_good(name: str, manifests: Sequence[Manifest]) -> int:
    return sum(one.model == name and one.status == "ok" for one in manifests)


def _shape(declared: Declared, name: str, manifests: Sequence[Manifest]) -> tuple[Shape | None, int, int]:
    """Sizes of a model; where it is trained here, with training tokens and updates."""
    config = declared.config
    entry = config["models"][name]
    if entry["source"] != "pretrain":
        mine = [one for one in manifests if one.model == name]
        return shape_of_files(mine, entry.get("n_neurons"), _vocabulary(declared, entry.get("tokenizer"))), 0, 0
    recipe = config["recipes"][entry["recipe"]]
    shape = shape_of_recipe(recipe, _vocabulary(declared, entry["tokenizer"]) or 0)
    return shape, recipe["n_steps"] * recipe["batch_size"] * recipe["context_length"], recipe["n_steps"]


def _vocabulary(declared: Declared, tokenizer: str | None) -> int | None:
    if tokenizer is None:
        return None
    if tokenizer in declared.tokenizers:
        return Tokenizer.from_file(declared.tokenizers[tokenizer]).get_vocab_size(with_added_tokens=True)
    return declared.config["tokenizers"][tokenizer].get("vocab_size")


def _loads(declared: Declared, model: str) -> tuple[PanelLoad, ...]:
    if not measures_influence(declared.config):
        return ()
    tokenizer = declared.config["models"][model].get("tokenizer")
    panels = {name: one for name, one in declared.config["panels"].items() if one["tokenizer"] == tokenizer}
    return tuple(_load(declared, name, one) for name, one in panels.items())


def _load(declared: Declared, name: str, panel: Mapping[str, object]) -> PanelLoad:
    asked, n_strata = panel["targets_per_stratum"], len(panel["strata"])
    most = (MOST_FOUND if asked == FOUND else int(asked)) * n_strata
    contexts, targets = declared.drawn.get(name, (int(panel.get("max_contexts", _CONTEXTS_FOUND)), most))
    length = int(panel["context_length"])
    return PanelLoad(contexts * length, targets, n_strata, length)


def _of_contexts(
    config: Mapping[str, Mapping[str, object]], section: str, loads: Sequence[PanelLoad]
) -> tuple[PanelLoad, ...]:
    """Load of one checkpoint, or interval, of a section that takes some of a panel's contexts."""
    n = int(config[section]["contexts"])
    return tuple(replace(load, n_tokens=min(n * load.context_length, load.n_tokens)) for load in loads)


def _options(config: Mapping[str, Mapping[str, object]]) -> Options:
    return Options(
        placebo_draws=int(config["probe"]["placebo_draws"]),
        shuffles=int(config["spectra"]["shuffles"]),
        farms_windows=int(config["spectra"]["farms_windows"]),
        n_permutations=int(config["set_spectra"]["n_permutations"]),
        share=float(config["set_spectra"]["share"]),
    )
