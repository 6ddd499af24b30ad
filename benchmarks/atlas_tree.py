"""A results tree of random numbers, with every table that the atlas reads: as large as pythia-410m, or a few rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.schedules import steps_of
from rare_neurons.tables import table_schema, write_rows

PANEL = "heldout"
QUESTIONS = {"loss on rare tokens": "loss", "mean influence on rare tokens": "mean_influence_within"}
TOKENS_OF_STEP = 2_097_152
N_TOP, N_EXAMPLES = 4, 3
Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Size:
    """What a tree holds: `measured` are the steps of the layers, the account, the kinds and the examples."""

    subject: str
    runs: tuple[str, ...]
    controls: tuple[str, ...]
    steps: tuple[int, ...]
    measured: tuple[int, ...]
    strata: tuple[str, ...]
    n_neurons: int
    n_layers: int
    width: int
    vocabulary: int
    held: tuple[str, int] | None = None
    """The one quarantined checkpoint."""
    panel: str = PANEL

    @property
    def matrices(self) -> list[tuple[int | None, str, int, int]]:
        """Layer, name and shape of every weight matrix."""
        d, wide = self.width, 4 * self.width
        shapes = dict.fromkeys(("W_Q", "W_K", "W_V", "W_O"), (d, d)) | {"W_in": (wide, d), "W_out": (wide, d)}
        blocks = [(layer, name, *shape) for layer in range(self.n_layers) for name, shape in shapes.items()]
        return [*blocks, (None, "W_E", self.vocabulary, d), (None, "W_U", d, self.vocabulary)]


_ALL = steps_of("pythia-all")
PYTHIA_410M = Size(
    *("pythia-410m", ("pythia-410m",), (), _ALL, _ALL[::11], ("common", "mid", "rare")),
    n_neurons=4096,
    n_layers=24,
    width=1024,
    vocabulary=50304,
)
SMALL = Size(
    *("small", ("small-seed0", "small-seed1"), ("shuffled-seed9",), (0, 1, 2, 4, 8, 16, 32, 64), (0, 8, 64)),
    strata=("common", "rare"),
    n_neurons=48,
    n_layers=2,
    width=200,
    vocabulary=500,
    held=("small-seed1", 4),
)


def write_tree(results: Path, size: Size = PYTHIA_410M) -> Path:
    """Write every table that the atlas reads."""
    for number, model in enumerate((*size.runs, *size.controls)):
        _Model(results, size, model, np.random.default_rng(number)).write()
    rng = np.random.default_rng(len(size.runs))
    runs = [(*one, run, role) for one in enumerate(QUESTIONS, 1) for run, role in _roles(size)]
    about = _named(("declared", "question", "run", "role"), runs)
    about |= {"subject": [size.subject] * len(runs), "panel": [size.panel] * len(runs)}
    steps, path = sorted(size.steps), f"{size.subject}.parquet"
    tested = {"tier": "run", "table": "behaviour", "stratum": size.strata[-1], "scale": "linear", "direction": "either"}
    tested |= {"column": [QUESTIONS[one] for one in about["question"]], "holds": True, "reached": "run"}
    tested |= {"estimate": -1.5, "low": -2.0, "high": -1.0, "p_value": 0.01, "p_adjusted": 0.02}
    _rows(results / "timelines/evidence" / path, "timelines/evidence", rng, about, **tested)
    dated = {"after": steps[2], "by": steps[5], "crossed_after": steps[3], "crossed_by": steps[4], "peak": steps[-1]}
    dated |= {"status": "dated", "sign": -1, "fraction": 0.5, "confidence": 0.9}
    _rows(results / "timelines/onsets" / path, "timelines/onsets", rng, about, **dated)
    turn = {"turn": 1, "start": steps[1], "end": steps[-1], "change": -1.5}
    _rows(results / "timelines/turns" / path, "timelines/turns", rng, about, **turn)
    courses = {name: [value for value in values for _ in steps] for name, values in about.items()}
    courses["step"] = steps * len(runs)
    value = 11 - np.log1p(courses["step"]) / 2 + 0.1 * rng.standard_normal(len(courses["step"]))
    ends = {"value": value, "low": value - 0.1, "high": value + 0.1}
    _rows(results / "timelines/courses" / path, "timelines/courses", rng, courses, **ends)
    return results


@dataclass(frozen=True)
class _Model:
    """Tables of one model."""

    results: Path
    size: Size
    model: str
    rng: np.random.Generator

    def write(self) -> None:
        size = self.size
        for step in size.steps:
            about = {"stratum": size.strata, "neuron": range(size.n_neurons)}
            self._shard("influence", step, _crossed(about), n_types=2000)
            self._eigenvalues(step)
        for step in size.measured:
            self._activity(step)
        held = [(self.model, step) == size.held for step in size.steps]
        status = ["detour" if bad else "ok" for bad in held]
        about = {"step": list(size.steps), "quarantined": held, "status": status}
        self._put("integrity", about, f"integrity/{self.model}")
        for name in ("influence", "behaviour", "moments"):
            about = _crossed({"step": size.steps, "stratum": size.strata})
            self._timeline(name, about, loss=11 - np.log1p(about["step"]) / 2)
        parts = {"stratum": size.strata, "part": ("whole", "within")}
        audit = _crossed({"step": size.measured, "layer": range(size.n_layers), **parts})
        square = 1e-8 * self.rng.random(len(audit["step"]))
        self._timeline("layer_audit", audit, mean_square=square, mean_square_se=2e-9, se_type_factor=1.0)
        self._spectra()
        self._account()
        top = _crossed({"stratum": size.strata, "rank": range(1, N_TOP + 1)})
        neurons = [10 * rank for rank in top["rank"]]
        ends = {"reference_step": size.steps[-1], "birth": size.steps[2], "settled": size.steps[4], "persistence": 0.75}
        self._timeline("members", top, neuron=neurons, **ends)
        self._timeline("lineage", _crossed({"stratum": size.strata, "step": size.steps}), n_top=N_TOP)

    def _activity(self, step: int) -> None:
        about = _crossed({"layer": range(self.size.n_layers), "neuron": range(self.size.n_neurons)})
        kinds = self.rng.choice(["other", "dead", "token_detector"], len(about["layer"]), p=[0.9, 0.05, 0.05])
        active = self.rng.integers(0, 1000, len(kinds))
        self._shard("kinds", step, about, kind=kinds, n_active=active, n_positions=1000)
        about = {"stratum": self.size.strata, "sign": ["all"], "neuron": range(N_TOP), "rank": range(1, N_EXAMPLES + 1)}
        about = _crossed(about)
        n = len(about["rank"])
        texts = {"before": [[1, 2, 3]] * n, "after": [[5]] * n, "target_id": 4}
        self._shard("examples", step, about, **texts, effect=self.rng.standard_normal(n))

    def _spectra(self) -> None:
        rows = [(step, *one) for step in self.size.steps for one in self.size.matrices]
        about = _named(("step", "layer", "matrix", "rows", "cols"), rows)
        alpha, n = 2 + 6 * self.rng.random(len(rows)), self.size.width
        null = {"alpha_null_low": 3.4, "alpha_null_median": 5.6, "alpha_null_high": 13.0, "alpha_null_p": 0.2}
        self._timeline("alpha", about, alpha=alpha, n_tail=n // 10, **null)
        fit = {"alpha": alpha, "n_tail": n // 10, "n_eigenvalues": n, "xmin": 1 + self.rng.random(len(rows))}
        self._timeline("spectra", about, **fit)
        quantities = ("alpha", "lambda_max_over_median")
        events = [(*one, quantity) for one in self.size.matrices for quantity in quantities]
        left = _named(("layer", "matrix", "rows", "cols", "quantity"), events)
        self._timeline("alpha_events", left, by_step=16, status="left")

    def _eigenvalues(self, step: int) -> None:
        about = _named(("layer", "matrix", "rows", "cols"), self.size.matrices)
        values = np.sort(self.rng.pareto(1.5, (len(about["matrix"]), self.size.width)), axis=1).astype(np.float32)
        about |= {"step": [step] * len(values), "eigenvalues": list(values)}
        self._put("eigenvalues", about, f"eigenvalues/{self.model}/step{step}")

    def _account(self) -> None:
        intervals = list(pairwise(self.size.measured))
        kinds = [*product(range(self.size.n_layers), ("head", "neuron", "norm"), (None,))]
        kinds += [(None, kind, stratum) for kind in ("embedding", "unembedding") for stratum in self.size.strata]
        rows = [(*i, *kind, stratum) for i in intervals for kind in kinds for stratum in self.size.strata]
        about = _named(("step_before", "step", "layer", "kind", "token_stratum", "stratum"), rows)
        parts = {name: 0.1 * self.rng.standard_normal(len(rows)) for name in ("allocation", "allocation_within")}
        self._timeline("allocation", about, **parts)
        ends = [(*i, *one) for i in intervals for one in product(self.size.strata, ("whole", "within"))]
        about = _named(("step_before", "step", "stratum", "part"), ends)
        self._timeline("allocation_changes", about, loss_change=0.1 * self.rng.standard_normal(len(ends)))

    def _shard(self, name: str, step: int, about: Columns, **fixed: object) -> None:
        steps = [step] * len(next(iter(about.values())))
        self._put(name, {**about, "step": steps}, f"{name}/{self.size.panel}/{self.model}/step{step}", **fixed)

    def _timeline(self, quantity: str, about: Columns, **fixed: object) -> None:
        if "step" in about:
            fixed["tokens_seen"] = [step * TOKENS_OF_STEP for step in about["step"]]
        self._put(f"timelines/{quantity}", about, f"timelines/{quantity}/{self.model}", **fixed)

    def _put(self, name: str, about: Columns, path: str, **fixed: object) -> None:
        place = {"panel": self.size.panel, "model": self.model}
        _rows(self.results / f"{path}.parquet", name, self.rng, about, **place, **fixed)


def _roles(size: Size) -> list[tuple[str, str]]:
    return [*((run, "run") for run in size.runs), *((run, "control") for run in size.controls)]


def _named(names: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, list[object]]:
    """Columns of rows."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _crossed(keys: Columns) -> dict[str, list[object]]:
    """All combinations, the last name changing fastest."""
    return _named(list(keys), list(product(*keys.values())))


def _rows(path: Path, name: str, rng: np.random.Generator, about: Columns, **fixed: object) -> None:
    """Write a table of the catalogue; columns that are not given are random, `ok`, 1, false or empty, by their type."""
    n, schema = len(next(iter(about.values()))), table_schema(name)
    given = {**{key: value if np.ndim(value) else [value] * n for key, value in fixed.items()}, **about}
    arrays = {
        field.name: pa.array(given[field.name] if field.name in given else _filled(field, n, rng), type=field.type)
        for field in schema
    }
    write_rows(name, pa.table(arrays, schema=schema), path, {})


def _filled(field: pa.Field, n: int, rng: np.random.Generator) -> object:
    if field.name == "reason":
        return [None] * n
    if pa.types.is_floating(field.type):
        return 1e-4 * (np.abs(rng.standard_t(3, n)) if field.name.endswith("_se") else rng.standard_t(3, n))
    if pa.types.is_integer(field.type):
        return np.ones(n, dtype=np.int64)
    if pa.types.is_boolean(field.type):
        return np.zeros(n, dtype=bool)
    return [[]] * n if pa.types.is_list(field.type) else ["ok"] * n
