"""What was planted in mean squares of layers reaches its tier, whatever else the shards hold."""

import numpy as np
import pytest

from rare_neurons.stages.layer_evidence import TABLE, read_moments, write_layer_evidence
from rare_neurons.tables import read_table
from tests.stages.tables import BAD, OK, put

RUNS, CONTROLS, STEPS = ("a", "b", "c"), ("x", "y"), (0, 8)
RULE = {"persistence": 2, "fraction": 0.5, "level": 0.05, "confidence": 0.9}


def rows(model, step, rng):
    """Two layers; the last one of runs is nine times as strong, everything within a tenth."""
    found = []
    for stratum in ("common", "rare"):
        for layer in (0, 1):
            strong = layer == 1 and model in RUNS and stratum == "rare"
            folds = (9.0 if strong else 1.0) * (1 + 0.05 * rng.normal(size=12)) * (1 + 0.05 * rng.normal())
            numbers = {"mean_square": folds.mean(), "mean_square_se": folds.std() / 12**0.5, "se_type_factor": 1.5}
            leave_outs = ((folds.sum() - folds) / 11).tolist()
            means = {"mean_influence": 0.1, "mean_influence_leave_outs": [0.1] * 12}
            for part in ("whole", "within"):
                place = {"layer": layer, "stratum": stratum, "part": part, "status": "ok"}
                found.append({**place, **numbers, "mean_square_leave_outs": leave_outs, **means})
    return found


@pytest.fixture
def shards(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for model in (*RUNS, *CONTROLS):
        for step in STEPS:
            place = {"panel": "p", "model": model, "step": step}
            bad = (model, step) == ("c", 0)
            paths.append(put(tmp_path, "layer_audit", place, [] if bad else rows(model, step, rng), BAD if bad else OK))
    return paths


def judged(shards, folder, quarantined=()):
    integrity = [
        put(
            folder,
            "integrity",
            {"model": m},
            [{"step": s, "status": "ok", "quarantined": (m, s) in quarantined} for s in STEPS],
        )
        for m in (*RUNS, *CONTROLS)
    ]
    output = folder / "out.parquet"
    write_layer_evidence(
        str(output), shards=shards, integrity=integrity, subject="s", models=RUNS, controls=CONTROLS, rule=RULE
    )
    return read_table(output).to_pylist()


def test_a_strong_last_layer_is_beyond_controls_on_its_stratum_alone(shards, tmp_path):
    found = judged(shards, tmp_path)
    reached = {row["stratum"]: row["reached"] for row in found if row["question"] == "last layer"}
    assert reached["rare"] == "beyond_control"
    assert reached["common"] != "beyond_control"
    row = next(r for r in found if (r["tier"], r["stratum"], r["declared"]) == ("beyond_control", "rare", 1))
    assert row["estimate"] == pytest.approx(0.9 - 0.5, abs=0.03)
    assert (row["n_runs"], row["n_controls"], row["step"]) == (3, 2, 8)


def test_quarantined_checkpoints_enter_nothing(shards, tmp_path):
    found = judged(shards, tmp_path, quarantined={("a", 8)})
    steps = {row["run"]: row["step"] for row in found if row["tier"] == "run" and row["declared"] == 1}
    assert (steps["a"], steps["b"]) == (0, 8)


def test_strata_with_a_layer_without_numbers_are_left_out(tmp_path):
    some = rows("a", 0, np.random.default_rng(1))
    some[0]["mean_square"] = some[1]["mean_square"] = None  # common, first layer
    path = put(tmp_path, "layer_audit", {"panel": "p", "model": "a", "step": 0}, some)
    assert list(read_moments(path)) == ["rare"]
    assert read_moments(path)["rare"].squares.shape == (13, 2)
    assert TABLE == "timelines/layer_evidence"
