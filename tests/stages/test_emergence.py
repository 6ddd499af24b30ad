"""Onsets of runs whose changes are planted, from timelines and shards on disk."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.folds import N_FOLDS
from rare_neurons.stages.emergence import write_emergence
from rare_neurons.tables import read_table
from tests.stages.tables import put, put_behaviour, put_folds

STEPS = (0, 1, 2, 4, 8, 16, 32, 64)
MODELS = tuple(f"a-seed{i}" for i in range(5))  # with five runs one interval can be told from a random walk
STRATA = ("common", "rare")
RULE = {"baseline": 1, "persistence": 2, "fraction": 0.5, "grid": "doublings", "level": 0.05, "confidence": 0.9}
FALL = {"table": "behaviour", "column": "loss", "direction": "fall"}
QUANTITIES = {"of rare tokens": {**FALL, "stratum": "rare"}, "of common tokens": {**FALL, "stratum": "common"}}
OPTIONS = {"rule": RULE, "n_resamples": 40, "seed": 0, "quantities": QUANTITIES}


def loss(step, stratum):
    """A fall by 3 nats between steps 4 and 8 on rare tokens, and none on common ones."""
    return 9.0 - 3.0 * (step >= 8) * (stratum == "rare")


@pytest.fixture
def date(tmp_path):
    """Write the tables of all runs, and return the onsets of the given quantities in their order."""

    def dated(quantities=QUANTITIES, held=(), wild=0.0):
        rng = np.random.default_rng(5)
        paths = {"timelines": [], "behaviours": [], "folds": []}
        for model in MODELS:
            rows = []
            for step in STEPS:
                values = {s: loss(step, s) + 0.05 * rng.standard_normal(N_FOLDS) for s in STRATA}
                place = {"panel": "p", "model": model, "step": step}
                paths["behaviours"].append(put_behaviour(tmp_path, place, {s: x.tolist() for s, x in values.items()}))
                rows += [
                    {**place, "stratum": s, "loss": x.mean() + wild * (step in held), "quarantined": step in held}
                    for s, x in values.items()
                ]
            paths["timelines"].append(put(tmp_path, "timelines/behaviour", {"model": model}, rows))
        output = str(tmp_path / "emergence.parquet")
        options = {**OPTIONS, "quantities": quantities}
        write_emergence(output, **paths, subject="a", models=MODELS, panels=["p"], options=options)
        return read_table(output).to_pylist()

    return dated


def test_a_planted_fall_is_dated_between_its_checkpoints_and_no_other_is_found(date):
    rare, common = date()
    assert rare["detected"]
    assert (rare["onset_after"], rare["onset_by"]) == (4, 8)
    assert rare["onset_low"] <= 4 < 8 <= rare["onset_high"]
    # Five runs of 64 folds with sd 0.05: the means of two steps are known to 0.004.
    assert rare["change"] == pytest.approx(-3.0, abs=0.02)
    assert (rare["n_steps"], rare["n_seeds"], rare["interval_kind"]) == (len(STEPS), len(MODELS), "seeds")
    assert not common["detected"]
    assert common["p_adjusted"] >= common["p_value"] > 0.05


def test_evaluation_noise_is_judged_from_the_shards(date):
    rare, common = date()
    assert rare["p_evaluation"] <= 0.05
    assert common["p_evaluation"] > rare["p_evaluation"]


def test_a_held_checkpoint_is_left_out(date):
    rare, _ = date(held={8}, wild=1e3)
    assert (rare["onset_after"], rare["onset_by"], rare["n_steps"]) == (4, 16, len(STEPS) - 1)
    assert abs(rare["change"]) < 4  # the held value was a thousand


def test_quantities_stand_in_their_declared_order(date):
    for order in (list(QUANTITIES), list(QUANTITIES)[::-1]):
        rows = date({name: QUANTITIES[name] for name in order})
        assert [(row["declared"], row["quantity"], row["stratum"]) for row in rows] == [
            (i, name, QUANTITIES[name]["stratum"]) for i, name in enumerate(order, start=1)
        ]


def test_without_a_good_checkpoint_nothing_is_identifiable(date):
    for row in date(held=set(STEPS)):
        assert (row["status"], row["detected"], row["n_steps"]) == ("not_identifiable", False, 0)
        assert "all are quarantined" in row["reason"]


def test_inequality_is_resampled_from_the_folds(tmp_path):
    """One neuron takes over evenly: the index rises at every step, and a resample of contexts gives the same."""
    rng = np.random.default_rng(0)
    rows, folds = [], []
    for i, step in enumerate(STEPS):
        sums = np.ones((N_FOLDS, 10)) * (1 + 0.01 * rng.standard_normal((N_FOLDS, 1)))
        sums[:, 0] *= 1 + i
        place = {"panel": "p", "model": "a", "step": step}
        folds.append(put_folds(tmp_path, place, {"rare": sums}))
        rows.append({**place, "stratum": "rare", "gini": 0.1 * i})
    timelines = [put(tmp_path, "timelines/inequality", {"model": "a"}, rows)]
    wanted = {"gini": {"table": "inequality", "column": "gini", "direction": "rise", "stratum": "rare"}}
    tables = {"timelines": timelines, "behaviours": [], "folds": folds}
    about = {"subject": "a", "models": ["a"], "panels": ["p"], "options": {**OPTIONS, "quantities": wanted}}
    write_emergence(str(tmp_path / "e.parquet"), **tables, **about)
    (row,) = read_table(tmp_path / "e.parquet").to_pylist()
    assert row["detected"]
    assert row["p_evaluation"] <= 0.05
    assert row["interval_kind"] == "evaluation_only"
