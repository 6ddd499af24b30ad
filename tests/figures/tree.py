"""A results tree written by hand: few rows, with values that a test can work out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.numerics.evidence.rows import CourseRow, EvidenceRow, OnsetRow, TurnRow
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.tables import from_rows, write_rows, write_table
from tests.figures.activity import of_activity
from tests.figures.layers import layer_influence, of_layers
from tests.figures.questions import CONTROL, COURSES, EVIDENCE, ONSETS, RUNS, STEPS, SUBJECT, TURNS

MODELS = (*RUNS, CONTROL)

HELD = ("a-seed1", 16)
"""The one quarantined checkpoint."""
STRATA = ("common", "rare")
N_NEURONS, WIDTH, PER_CELL = 40, 24, 2
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
    write_evidence_tables(
        folder, SUBJECT, panels, {"evidence": EVIDENCE, "onsets": ONSETS, "turns": TURNS, "courses": COURSES}
    )
    return folder


def write_evidence_tables(
    folder: Path,
    subject: str,
    panels: Sequence[str],
    rows: Mapping[str, Sequence[EvidenceRow | OnsetRow | TurnRow | CourseRow]],
) -> None:
    """Write the tables of rule `evidence`, the same rows for every panel."""
    for name, some in rows.items():
        table = f"timelines/{name}"
        placed = [{"panel": panel, **vars(row)} for panel in panels for row in some]
        write_rows(table, from_rows(table, placed, {"subject": subject}), folder / f"{table}/{subject}.parquet", {})


def _verdict(model: str, step: int) -> dict[str, object]:
    held = (model, step) == HELD
    status = "detour" if held else "ok"
    return {
        "model": model,
        "step": step,
        "status": status,
        "reason": None,
        "quarantined": held,
        "canary_loss": 8.0 - step / 4,
    }


def _timelines(model: str, panels: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    rows = {
        name: []
        for name in ("behaviour", "influence", "inequality", "lineage", "moments", "regimes", "set_spectra", "alpha")
    }
    rows |= of_layers(model, panels) | of_activity(model, panels, HELD)
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


def _wave(fold: int, type_bin: int) -> float:
    """What a cell has beside the mean; zero over each row and each column."""
    return float(np.cos(2 * np.pi * fold / N_FOLDS) * np.sin(2 * np.pi * type_bin / N_FOLDS)) / 10


def _event(model: str, kind: str, quantity: str, by_step: int) -> dict[str, object]:
    """All matrices of the first run leave by step 2, of the second by 8, of the control by 14; W_E never does."""
    by = None if kind == "W_E" else by_step
    return {"model": model, "layer": KINDS[kind], "matrix": kind, "quantity": quantity, "by_step": by}


def _values(model: str, step: int, stratum: str) -> dict[str, list[dict[str, object]]]:
    measured, values = loss(model, step, stratum), effect(model, step, stratum)
    rms = float(np.sqrt(np.mean(values**2)))
    return {
        "behaviour": [{"loss": measured, "loss_within": measured / 2, "tokens_seen": 1024 * step}],
        "moments": [_moments(measured, float(values.mean()), rms)],
        "influence": [
            {"loss": measured, "n_neurons": N_NEURONS, "rms_influence": rms, "rms_influence_within": rms / 4}
        ],
        "inequality": [
            {
                "gini": 0.4 + step / 100,
                "effective_number": 20.0 - step,
                "effective_number_within": 10.0 - step / 2,
                "effective_number_low": 15.0 - step * 0.75,
                "effective_number_high": 40.0 - step * 2,
                "effective_number_within_low": 5.0 - step / 4,
                "effective_number_within_high": 20.0 - step,
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


def _moments(measured: float, mean: float, rms: float) -> dict[str, object]:
    """With standard errors of a tenth."""
    means = {"mean_influence": mean, "mean_influence_within": mean / 4}
    roots = {"rms_influence": rms, "rms_influence_within": rms / 4}
    errors = {f"{name}_se": abs(value) / 10 for name, value in means.items()}
    errors |= {f"{name.replace('rms', 'square')}_se": value**2 / 10 for name, value in roots.items()}
    return {"loss": measured, **means, **roots, **errors}


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
    shards = {name: [] for name in ("influence", "cells", "curves", "gradients", "behaviour")}
    shards["layer_influence"] = layer_influence(step)
    for stratum in STRATA:
        values = effect(model, step, stratum)
        rng = np.random.default_rng([step, STRATA.index(stratum)])
        for neuron, value in enumerate(values):
            row = {"neuron": neuron, "stratum": stratum, "n_targets": PER_CELL * N_FOLDS**2, "influence": value}
            halves = {"influence_a": 1.1 * value, "influence_b": 0.9 * value}
            halves |= {"influence_within": value / 4, "influence_within_se": 1e-5}
            shards["influence"].append({**row, **halves, "influence_se": 1e-5})
        for fold, type_bin in np.ndindex(N_FOLDS, N_FOLDS):
            sums = PER_CELL * values * (1 + 0.1 * rng.standard_normal(N_NEURONS))
            cell = {"stratum": stratum, "fold": fold, "type_bin": type_bin, "n_targets": PER_CELL}
            around = loss(model, step, stratum) + _wave(fold, type_bin)
            shards["behaviour"].append({**cell, "loss": around, "loss_within": around / 2})
            shards["cells"].append({**cell, "influence_sum": sums.tolist(), "within_sum": (sums / 4).tolist()})
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
