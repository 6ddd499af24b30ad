"""A results tree of random numbers at the size of pythia-410m: what an atlas of 154 checkpoints has to hold."""

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.schedules import steps_of
from rare_neurons.tables import table_schema, write_rows

MODEL, PANEL = "pythia-410m", "c4-heldout"
STRATA = ("common", "mid", "rare")
STEPS = steps_of("pythia-all")
N_NEURONS, N_LAYERS, WIDTH, VOCABULARY = 4096, 24, 1024, 50304
SHAPES = {
    **dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (WIDTH, WIDTH)),
    "W_in": (4 * WIDTH, WIDTH),
    "W_out": (4 * WIDTH, WIDTH),
}
ENDS = {"W_E": (VOCABULARY, WIDTH), "W_U": (WIDTH, VOCABULARY)}
MEASURED = STEPS[::11]
"""Checkpoints of the layers, the account and the kinds: measured at a few, as configurations ask."""
QUESTIONS = {"loss on rare tokens": "loss", "mean influence on rare tokens": "mean_influence_within"}
Columns = Mapping[str, Sequence[object]]


def write_tree(results: Path, steps: Sequence[int] = STEPS, n_neurons: int = N_NEURONS) -> Path:
    """Write every table that the atlas reads."""
    rng = np.random.default_rng(0)
    measured = [step for step in MEASURED if step in set(steps)]
    for step in steps:
        _shard(results, "influence", step, rng, {"stratum": STRATA, "neuron": range(n_neurons)}, n_types=2000)
        _eigenvalues(results, step, rng)
    for step in measured:
        about = {"layer": range(N_LAYERS), "neuron": range(n_neurons)}
        kinds = rng.choice(["other", "dead", "token_detector"], N_LAYERS * n_neurons, p=[0.9, 0.05, 0.05])
        _shard(results, "kinds", step, rng, about, kind=kinds)
    place = {"model": [MODEL], "step": steps}
    seen, panel = [step * 2_097_152 for step in steps], {"panel": [PANEL], **place}
    _write(results, "integrity", rng, place)
    for name in ("influence", "behaviour", "moments"):
        levels = {"loss": 11 - np.log1p(np.repeat(steps, len(STRATA))) / 2}
        _timeline(results, name, rng, {**panel, "stratum": STRATA}, seen, **levels)
    audit = {**panel, "step": measured, "layer": range(N_LAYERS), "stratum": STRATA, "part": ("whole", "within")}
    _timeline(results, "layer_audit", rng, audit, None, se_type_factor=1.0)
    _alpha(results, steps, rng, seen)
    _allocation(results, measured, rng)
    _evidence(results, steps, rng)
    return results


def _alpha(results: Path, steps: Sequence[int], rng: np.random.Generator, seen: Sequence[int]) -> None:
    rows = [(step, *one) for step in steps for one in _matrices()]
    about = dict(zip(("step", "layer", "matrix", "rows", "cols"), map(list, zip(*rows, strict=True)), strict=True))
    about["model"] = [MODEL] * len(rows)
    tokens = dict(zip(steps, seen, strict=True))
    about["tokens_seen"] = [tokens[step] for step in about["step"]]
    about["alpha"] = 2 + 6 * rng.random(len(rows))
    null = {"alpha_null_low": 3.4, "alpha_null_median": 5.6, "alpha_null_high": 13.0, "n_tail": 100}
    _rows(results, "timelines/alpha", rng, about, f"timelines/alpha/{MODEL}", **null)
    _rows(results, "timelines/spectra", rng, {**about, "xmin": rng.random(len(rows))}, f"timelines/spectra/{MODEL}")
    events = [(*one, quantity) for one in _matrices() for quantity in ("alpha", "lambda_max_over_median")]
    names = ("layer", "matrix", "rows", "cols", "quantity")
    left = dict(zip(names, map(list, zip(*events, strict=True)), strict=True)) | {"model": [MODEL] * len(events)}
    _rows(results, "timelines/alpha_events", rng, left, f"timelines/alpha_events/{MODEL}", by_step=16, status="left")


def _allocation(results: Path, measured: Sequence[int], rng: np.random.Generator) -> None:
    intervals = list(pairwise(measured))
    kinds = [*product(range(N_LAYERS), ("head", "neuron", "norm"), (None,))]
    kinds += [(None, kind, stratum) for kind in ("embedding", "unembedding") for stratum in STRATA]
    rows = [(*i, *kind, stratum) for i in intervals for kind in kinds for stratum in ("rare", "common")]
    names = ("step_before", "step", "layer", "kind", "token_stratum", "stratum")
    about = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    place = {"panel": [PANEL] * len(rows), "model": [MODEL] * len(rows)}
    _rows(results, "timelines/allocation", rng, {**place, **about}, f"timelines/allocation/{MODEL}")
    ends = [(*i, stratum, part) for i in intervals for stratum in ("rare", "common") for part in ("whole", "within")]
    names = ("step_before", "step", "stratum", "part")
    about = dict(zip(names, map(list, zip(*ends, strict=True)), strict=True))
    place = {"panel": [PANEL] * len(ends), "model": [MODEL] * len(ends)}
    _rows(results, "timelines/allocation_changes", rng, {**place, **about}, f"timelines/allocation_changes/{MODEL}")


def _evidence(results: Path, steps: Sequence[int], rng: np.random.Generator) -> None:
    names = list(QUESTIONS)
    about = {"subject": [MODEL] * len(names), "panel": [PANEL] * len(names), "question": names}
    about |= {"declared": [k + 1 for k in range(len(names))], "run": [MODEL] * len(names), "role": ["run"] * len(names)}
    tested = {"tier": "run", "table": "behaviour", "column": list(QUESTIONS.values()), "stratum": "rare"}
    tested |= {"scale": "linear", "direction": "either", "estimate": -1.5, "low": -2.0, "high": -1.0, "holds": True}
    _rows(results, "timelines/evidence", rng, about, f"timelines/evidence/{MODEL}", **tested, reached="run")
    dated = {"after": 64, "by": 512, "crossed_after": 128, "crossed_by": 256, "status": "dated", "sign": -1}
    _rows(results, "timelines/onsets", rng, about, f"timelines/onsets/{MODEL}", **dated, fraction=0.5, confidence=0.9)
    _rows(results, "timelines/turns", rng, about, f"timelines/turns/{MODEL}", turn=1, start=0, end=512)
    course = {name: [value for value in values for _ in steps] for name, values in about.items()}
    course["step"] = list(steps) * len(names)
    value = 11 - np.log1p(course["step"]) / 2
    ends = {"value": value, "low": value - 0.1, "high": value + 0.1}
    _rows(results, "timelines/courses", rng, course, f"timelines/courses/{MODEL}", **ends)


def _matrices() -> list[tuple[int | None, str, int, int]]:
    blocks = [(layer, name, *shape) for layer in range(N_LAYERS) for name, shape in SHAPES.items()]
    return [*blocks, *((None, name, *shape) for name, shape in ENDS.items())]


def _eigenvalues(results: Path, step: int, rng: np.random.Generator) -> None:
    """Of one checkpoint: heavy-tailed, of all matrices."""
    names = ("layer", "matrix", "rows", "cols")
    about = dict(zip(names, map(list, zip(*_matrices(), strict=True)), strict=True))
    n = len(about["matrix"])
    values = np.sort(rng.pareto(1.5, (n, WIDTH)), axis=1).astype(np.float32)
    about |= {"model": [MODEL] * n, "step": [step] * n, "eigenvalues": list(values)}
    _rows(results, "eigenvalues", rng, about, f"eigenvalues/{MODEL}/step{step}")


def _shard(results: Path, name: str, step: int, rng: np.random.Generator, keys: Columns, **fixed: object) -> None:
    about = _crossed({"panel": [PANEL], "model": [MODEL], "step": [step], **keys})
    _rows(results, name, rng, about, f"{name}/{PANEL}/{MODEL}/step{step}", **fixed)


def _timeline(
    results: Path, name: str, rng: np.random.Generator, keys: Columns, seen: Sequence[int] | None, **fixed: object
) -> None:
    about = _crossed(keys)
    if seen is not None:
        tokens = dict(zip(keys["step"], seen, strict=True))
        about["tokens_seen"] = [tokens[step] for step in about["step"]]
    _rows(results, f"timelines/{name}", rng, about, f"timelines/{name}/{MODEL}", **fixed)


def _write(results: Path, name: str, rng: np.random.Generator, keys: Columns, **fixed: object) -> None:
    _rows(results, name, rng, _crossed(keys), f"{name}/{MODEL}", **fixed)


def _crossed(keys: Columns) -> dict[str, list[object]]:
    """All combinations, the last name changing fastest."""
    return dict(zip(keys, map(list, zip(*product(*keys.values()), strict=True)), strict=True))


def _rows(results: Path, name: str, rng: np.random.Generator, about: Columns, path: str, **fixed: object) -> None:
    """Write a table of the catalogue whose other columns are random, `ok`, 1 or empty, by their type."""
    n, schema = len(next(iter(about.values()))), table_schema(name)
    arrays = {}
    for field in schema:
        given = about.get(field.name, fixed.get(field.name))
        if given is not None and (np.ndim(given) or isinstance(given, list)):
            arrays[field.name] = pa.array(given, type=field.type)
        elif given is not None:
            arrays[field.name] = pa.array([given] * n, type=field.type)
        else:
            arrays[field.name] = pa.array(_filled(field, n, rng), type=field.type)
    write_rows(name, pa.table(arrays, schema=schema), results / f"{path}.parquet", {})


def _filled(field: pa.Field, n: int, rng: np.random.Generator) -> object:
    if field.name == "reason":
        return [None] * n
    if pa.types.is_floating(field.type):
        return 1e-4 * np.abs(rng.standard_t(3, n)) if field.name.endswith("_se") else 1e-4 * rng.standard_t(3, n)
    if pa.types.is_integer(field.type):
        return np.ones(n, dtype=np.int64)
    if pa.types.is_boolean(field.type):
        return np.zeros(n, dtype=bool)
    return [[]] * n if pa.types.is_list(field.type) else ["ok"] * n
