"""A results tree written by hand: few rows, with values that a test can work out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.tables import write_table

SUBJECT, RUNS, CONTROL = "a", ("a-seed0", "a-seed1"), "shuffled"
MODELS = (*RUNS, CONTROL)
STEPS = (0, 2, 8, 16)
HELD = ("a-seed1", 16)
"""The one quarantined checkpoint."""
STRATA = ("common", "rare")
N_NEURONS, WIDTH, N_FOLDS = 40, 24, 64
KINDS = {"W_in": 0, "W_out": 0, "W_E": None}
"""Layer of each weight matrix."""


def loss(model: str, step: int, stratum: str) -> float:
    return 8 - step / 4 + (stratum == "rare") + 0.25 * MODELS.index(model)


def effect(model: str, step: int, stratum: str) -> np.ndarray:
    """Influence of every neuron: falling, with every third one of the other sign."""
    size = (1 + step) * (1 + (stratum == "rare")) * 1e-4
    return size / np.arange(1.0, N_NEURONS + 1) * np.where(np.arange(N_NEURONS) % 3 == 2, -1, 1)


def write(folder: Path, path: str, rows: Sequence[Mapping[str, object]]) -> None:
    write_table(pa.Table.from_pylist(list(rows)), folder / path, {})


def write_tree(folder: Path, panels: Sequence[str] = ("heldout",)) -> Path:
    """Write what figures and replication read."""
    for model in MODELS:
        write(folder, f"integrity/{model}.parquet", [_verdict(model, step) for step in STEPS])
        for name, rows in _timelines(model, panels).items():
            write(folder, f"timelines/{name}/{model}.parquet", rows)
        for panel in panels:
            for step in STEPS:
                for name, rows in _shards(model, step).items():
                    place = {"panel": panel, "model": model, "step": step}
                    path = f"{name}/{panel}/{model}/step{step}.parquet"
                    write(folder, path, [{**place, **row} for row in rows])
    for number, model in enumerate(MODELS):
        events = [_event(model, kind, quantity, 2 + 6 * number) for kind in KINDS for quantity in ("alpha", "other")]
        write(folder, f"timelines/alpha_events/{model}.parquet", events)
    write(folder, f"timelines/emergence/{SUBJECT}.parquet", [_onset(panels[0], *row) for row in ONSETS])
    write(folder, f"claims/{SUBJECT}.parquet", [_claim(panel, *row) for panel in panels for row in CLAIMS])
    return folder


def _verdict(model: str, step: int) -> dict[str, object]:
    held = (model, step) == HELD
    status = "detour" if held else "ok"
    return {"model": model, "step": step, "status": status, "reason": None, "quarantined": held}


def _timelines(model: str, panels: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    rows = {name: [] for name in ("behaviour", "influence", "inequality", "lineage", "regimes", "set_spectra", "alpha")}
    for step in STEPS:
        held = (model, step) == HELD
        for kind, layer in KINDS.items():
            alpha = {"alpha": 2 + step / 8, "alpha_null_low": 4.0, "alpha_null_high": 6.0, "xmin_jump": step == 8}
            place = {"model": model, "step": step, "layer": layer, "matrix": kind, "rows": 40, "cols": 24}
            rows["alpha"].append({**place, **alpha, "quarantined": held})
        for panel in panels:
            for stratum in STRATA:
                place = {"panel": panel, "model": model, "step": step, "stratum": stratum, "quarantined": held}
                for name, values in _values(model, step, stratum).items():
                    rows[name] += [{**place, **value} for value in values]
    return rows


def _event(model: str, kind: str, quantity: str, by_step: int) -> dict[str, object]:
    """All matrices of the first run leave by step 2, of the second by 8, of the control by 14; W_E never does."""
    by = None if kind == "W_E" else by_step
    return {"model": model, "layer": KINDS[kind], "matrix": kind, "quantity": quantity, "by_step": by}


def _values(model: str, step: int, stratum: str) -> dict[str, list[dict[str, object]]]:
    measured, values = loss(model, step, stratum), effect(model, step, stratum)
    rms = float(np.sqrt(np.mean(values**2)))
    return {
        "behaviour": [{"loss": measured}],
        "influence": [
            {"loss": measured, "n_neurons": N_NEURONS, "rms_influence": rms, "rms_influence_within": rms / 4}
        ],
        "inequality": [
            {
                "gini": 0.4 + step / 100,
                "effective_number": 20.0 - step,
                "effective_number_within": 10.0 - step / 2,
                "gini_noise": 0.4,
                "excess_kurtosis": 1.0 + step,
                "excess_kurtosis_without_top": step / 2,
            }
        ],
        "lineage": [
            {
                "jaccard": step / 16,
                "jaccard_previous": None if step == 0 else 0.5,
                "jaccard_halves": 0.7,
                "expected_jaccard": 0.05,
            }
        ],
        "regimes": [_reading(kind, step) for kind in CONVENTIONS],
        "set_spectra": [_group(matrix, step) for matrix in ("W_in", "W_out")],
    }


CONVENTIONS = {
    "seed_fixed_cuts": 0.98,
    "seed_huber": 0.99,
    "log_spacing": None,
    "one_segment": 0.8,
    "two_segment": 0.95,
    "three_segment": 0.951,
}
"""R² of each convention."""


def _reading(convention: str, step: int) -> dict[str, object]:
    return {
        "sign": "all",
        "convention": convention,
        "n_neurons": N_NEURONS,
        "plateau_end": 10.0,
        "decay_start": 31.0,
        "rank_exponent": 1 + step / 16,
        "r_squared": CONVENTIONS[convention],
        "null_p": 0.04 if convention == "log_spacing" and step == 8 else 0.5,
        "status": "ok",
    }


def _group(matrix: str, step: int) -> dict[str, object]:
    nulls = {"hill_null_low": 2.0, "hill_null_median": 3.0, "hill_null_high": 4.0}
    return {"matrix": matrix, "n_set": 4, "hill_index": 3.5 - step / 8, **nulls, "p_value": 0.2}


def _shards(model: str, step: int) -> dict[str, list[dict[str, object]]]:
    shards = {name: [] for name in ("influence", "folds", "curves", "gradients")}
    for stratum in STRATA:
        values = effect(model, step, stratum)
        rng = np.random.default_rng([step, STRATA.index(stratum)])
        for neuron, value in enumerate(values):
            row = {"neuron": neuron, "stratum": stratum, "n_targets": 2 * N_FOLDS, "influence": value}
            halves = {"influence_a": 1.1 * value, "influence_b": 0.9 * value}
            shards["influence"].append({**row, **halves, "influence_se": 1e-5})
        for fold in range(N_FOLDS):
            sums = 2 * values * (1 + 0.1 * rng.standard_normal(N_NEURONS))
            shards["folds"].append({"stratum": stratum, "fold": fold, "n_targets": 2, "influence_sum": sums.tolist()})
        shards["gradients"].append({"stratum": stratum, "gradient": [0.0] * WIDTH})
        for rank in (1, 2, 3):
            value = abs(values[rank - 1])
            low = -value if rank == 2 else value / 2  # the second bin is not told from zero
            shards["curves"].append(
                {
                    "stratum": stratum,
                    "sign": "all",
                    "rank_mid": float(rank),
                    "value": value,
                    "low": low,
                    "high": 2 * value,
                }
            )
    return shards


ONSETS = [
    ("loss on rare tokens", "rare", "ok", True),
    ("influence on rare tokens", "rare", "ok", False),
    ("influence on common tokens", "common", "too_few_steps", False),
]


def _onset(panel: str, quantity: str, stratum: str, status: str, detected: bool) -> dict[str, object]:
    place = {"subject": SUBJECT, "panel": panel, "quantity": quantity, "stratum": stratum}
    found = {"onset_after": 2, "onset_by": 8, "onset_low": 0, "onset_high": 16, "change": -1.5}
    missed = {**dict.fromkeys(found), "minimal_effect": 0.125 if status == "ok" else None}
    judged = {"p_adjusted": 0.01 if detected else 0.3, "status": status, "detected": detected, "n_seeds": 2}
    return {**place, **({**found, "minimal_effect": None} if detected else missed), **judged}


CLAIMS = [
    ("inequality of neurons on rare beyond common tokens", "last checkpoint", 0.2, "supported", 0.001, None),
    ("regimes of influence on rare tokens (all)", "last checkpoint", 0.1, "not detected", 0.4, None),
    (
        "change since step 0 of inequality of neurons on rare tokens",
        "last checkpoint",
        0.3,
        "not identifiable",
        None,
        "2 run(s), but a claim over training needs 3 or more seeds",
    ),
    ("inequality of neurons on rare beyond common tokens", "step 0", 0.0, "not detected", 0.9, None),
]


def _claim(
    panel: str, quantity: str, judged_at: str, estimate: float, verdict: str, p: float | None, reason: str | None
) -> dict[str, object]:
    return {
        "subject": SUBJECT,
        "panel": panel,
        "judged_at": judged_at,
        "unit": "Gini",
        "quantity": quantity,
        "estimate": estimate,
        "low": estimate - 0.05,
        "high": estimate + 0.05,
        "adjusted_p": p,
        "control_step0": 0.01,
        "control_shuffled": None if verdict == "not identifiable" else 0.02,
        "verdict": verdict,
        "reason": reason,
    }
