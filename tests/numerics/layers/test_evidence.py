"""Both questions where nothing differs, and where the last layer or a move was planted."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.numerics.layers.evidence import LAST, MOVES, judge_layers
from rare_neurons.numerics.layers.ratios import NATS, LayerMoments

N_LAYERS, N_FOLDS = 4, 12


def run(rng, weights, *, seed_sd=0.1, noise=0.1, unresolved=0.0):
    """One run: layers scatter over seeds, folds over documents, the latter shared by nothing."""
    level = np.asarray(weights) * np.exp(seed_sd * rng.normal(size=N_LAYERS))
    folds = level * (1 + noise * rng.normal(size=(N_FOLDS, N_LAYERS)))
    leave_outs = (folds.sum(0) - folds) / (N_FOLDS - 1)
    values = np.vstack([folds.mean(0), leave_outs])
    return LayerMoments(values - unresolved * values.mean(), values, 1.0)


def world(rng, start, end, n, **how):
    return {f"m{rng.integers(1 << 40)}": {0: run(rng, start, **how), 8: run(rng, end, **how)} for _ in range(n)}


def reached(runs, controls):
    rows = judge_layers(runs, controls, subject="s", stratum="rare", rule=Rule())
    return {row.question: row.reached for row in rows}


EVEN, LATE = np.ones(N_LAYERS), np.array([1.0, 1, 1, 3])


def test_without_a_difference_little_is_found():
    rng = np.random.default_rng(1)
    found = [reached(world(rng, EVEN, EVEN, 3), world(rng, EVEN, EVEN, 2)) for _ in range(200)]
    # Two questions at .05 together; 200 draws have a standard error of .015.
    assert np.mean([one[LAST] == "beyond_control" or one[MOVES] == "beyond_control" for one in found]) <= 0.07
    assert np.mean([one[LAST] in ("seeds", "beyond_control") for one in found]) <= 0.08


def test_a_last_layer_three_times_as_strong_is_found_beyond_controls():
    rng = np.random.default_rng(2)
    found = [reached(world(rng, LATE, LATE, 3), world(rng, EVEN, EVEN, 2)) for _ in range(50)]
    assert np.mean([one[LAST] == "beyond_control" for one in found]) >= 0.8
    assert np.mean([one[MOVES] == "beyond_control" for one in found]) <= 0.1


def test_a_move_to_the_last_layer_is_found():
    rng = np.random.default_rng(3)
    found = [reached(world(rng, EVEN, LATE, 3), world(rng, EVEN, EVEN, 3)) for _ in range(50)]
    assert np.mean([one[MOVES] == "beyond_control" for one in found]) >= 0.8


def test_too_few_runs_or_controls_are_said():
    rng = np.random.default_rng(4)
    rows = judge_layers(world(rng, LATE, LATE, 2), {}, subject="s", stratum="rare", rule=Rule())
    by_tier = {(row.tier, row.question): row for row in rows if row.role == "all"}
    assert by_tier["seeds", LAST].status == "too_few_runs"
    assert "2 of 2 runs have a value, but 3 are needed" in by_tier["seeds", LAST].reason
    rows = judge_layers(world(rng, LATE, LATE, 3), {}, subject="s", stratum="rare", rule=Rule())
    by_tier = {(row.tier, row.question): row for row in rows if row.role == "all"}
    assert (by_tier["beyond_control", LAST].status, by_tier["beyond_control", LAST].p_value) == (
        "too_few_controls",
        None,
    )
    assert by_tier["seeds", LAST].estimate == pytest.approx(1 / 2 - 1 / 4, abs=0.1)
    assert by_tier["seeds", LAST].holds


def test_every_run_and_control_has_its_row():
    rng = np.random.default_rng(5)
    runs, controls = world(rng, EVEN, LATE, 3), world(rng, EVEN, EVEN, 2)
    rows = judge_layers(runs, controls, subject="s", stratum="rare", rule=Rule())
    assert {(row.run, row.role) for row in rows if row.tier == "run"} == {
        *((m, "run") for m in runs),
        *((m, "control") for m in controls),
    }
    assert len(rows) == 2 * (5 + 2)


def test_where_squares_are_within_their_noise_means_are_compared():
    rng = np.random.default_rng(6)
    runs, controls = world(rng, LATE, LATE, 3, unresolved=1.0), world(rng, EVEN, EVEN, 2, unresolved=1.0)
    rows = judge_layers(runs, controls, subject="s", stratum="rare", rule=Rule())
    assert {row.form for row in rows} == {NATS}
    by_tier = {(row.tier, row.question): row for row in rows if row.role == "all"}
    assert by_tier["beyond_control", LAST].estimate == pytest.approx(1.5, abs=0.3)
    assert by_tier["beyond_control", LAST].holds
    assert "shares mean nothing" in next(r.reason for r in rows if r.question == MOVES and r.tier == "run")
    found = [
        reached(world(rng, EVEN, EVEN, 3, unresolved=1.0), world(rng, EVEN, EVEN, 2, unresolved=1.0))
        for _ in range(200)
    ]
    # One question at .05; 200 draws have a standard error of .015.
    assert np.mean([one[LAST] == "beyond_control" for one in found]) <= 0.08
