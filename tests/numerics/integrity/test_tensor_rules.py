"""Substitutions of whole steps and single tensors in simulated runs, and no alarm where nothing was done.

A small copy of benchmarks/calibration/integrity.py, which does the same with trained models.
"""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.fingerprint import pairwise_distances
from rare_neurons.numerics.integrity.limits import DEFAULT_LIMITS, IntegrityLimits
from rare_neurons.numerics.integrity.tensor_rules import TensorRules

STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 160, 192, 224, 256]
TENSORS = [(f"matrix{i}", (16, 16)) for i in range(4)] + [("gain", (64,)), ("bias", (64,))]
MATRIX, GAIN, PLACE = 1, 4, 9
RATES = (0.002, 0.01, 0.04)


def simulate(rate, seed=0):
    """Weights of each step: a walk with drift from a random start, gains from one, biases from zero."""
    rng = np.random.default_rng(seed)
    sizes = [int(np.prod(shape)) for _, shape in TENSORS]
    weights = [0.5 * rng.standard_normal(size) for size in sizes]
    weights[GAIN], weights[GAIN + 1] = np.ones(sizes[GAIN]), np.zeros(sizes[GAIN + 1])
    drift = [rng.standard_normal(size) for size in sizes]
    run = [weights]
    for step in np.diff(STEPS):
        noise = [rng.standard_normal(size) for size in sizes]
        parts = zip(weights, drift, noise, strict=True)
        weights = [w + rate * (0.05 * step * d + np.sqrt(step) * n) for w, d, n in parts]
        run.append(weights)
    return run


def judged(run, limits=DEFAULT_LIMITS):
    rng = np.random.default_rng(7)
    maps = [rng.standard_normal((64, int(np.prod(shape)))) / 8 for _, shape in TENSORS]
    projections = np.array([[m @ w for m, w in zip(maps, weights, strict=True)] for weights in run])
    rules = TensorRules(
        STEPS,
        tensors=TENSORS,
        norms=np.array([[np.linalg.norm(w) for w in weights] for weights in run]),
        distances=pairwise_distances(projections),
        projections=projections,
        log_loss=np.full(len(run), np.nan),
    )
    rules.judge_straight(limits.min_chord)
    rules.judge_detours(limits.max_detour)
    rules.judge_end(limits.max_end_distance)
    rules.judge_tensors(limits)
    return rules


def found(run, **options):
    return {index: status for index, (status, _) in judged(run, IntegrityLimits(**options)).status.items()}


def mean(run, tensors):
    for t in tensors:
        run[PLACE][t] = (run[PLACE - 1][t] + run[PLACE + 1][t]) / 2


def other(run, place, tensors, rate, source=None):
    foreign = simulate(rate, seed=100)[place if source is None else source]
    for t in tensors:
        run[place][t] = foreign[t]


def scaled(run, place, tensor, factor):
    run[place][tensor] = factor * run[place][tensor]


ALL = range(len(TENSORS))
SUBSTITUTIONS = {
    "mean of both neighbours": (lambda run, rate: mean(run, ALL), {PLACE: "interpolated"}),
    "one matrix the mean": (lambda run, rate: mean(run, [MATRIX]), {PLACE: "interpolated"}),
    "one matrix halved": (lambda run, rate: scaled(run, PLACE, MATRIX, 0.5), {PLACE: "odd_tensors"}),
    "one matrix doubled": (lambda run, rate: scaled(run, PLACE, MATRIX, 2), {PLACE: "odd_tensors"}),
    "one matrix negated": (lambda run, rate: scaled(run, PLACE, MATRIX, -1), {PLACE: "odd_tensors"}),
    "one matrix of another seed": (lambda run, rate: other(run, PLACE, [MATRIX], rate), {PLACE: "odd_tensors"}),
    "a norm's gain halved": (lambda run, rate: scaled(run, PLACE, GAIN, 0.5), {PLACE: "odd_tensors"}),
    "another seed's final gain": (lambda run, rate: other(run, PLACE, [GAIN], rate, -1), {PLACE: "odd_tensors"}),
    "another seed's final step": (lambda run, rate: other(run, len(STEPS) - 1, ALL, rate), {12: "foreign_end"}),
    "a matrix of it at the end": (lambda run, rate: other(run, len(STEPS) - 1, [MATRIX], rate), {12: "odd_tensors"}),
    "a matrix halved at the end": (lambda run, rate: scaled(run, 12, MATRIX, 0.5), {12: "odd_tensors"}),
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(8))
def test_clean_runs_raise_no_alarm(rate, seed):
    assert found(simulate(rate, seed)) == {}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", SUBSTITUTIONS)
def test_exactly_the_substituted_step_is_left_out(name, rate):
    change, expected = SUBSTITUTIONS[name]
    for seed in range(3):
        run = simulate(rate, seed)
        change(run, rate)
        status = found(run)
        # Whole matrices may already make the whole checkpoint a detour.
        assert {i: "odd_tensors" if s == "detour" else s for i, s in status.items()} == expected


def test_reasons_name_the_tensor_the_size_and_the_limit():
    run = simulate(0.01)
    mean(run, [MATRIX])
    reason = judged(run).status[PLACE][1]
    assert reason.startswith("matrix1 lies ")
    assert reason.endswith("from the straight line between the neighbours, limit 0.005: a mean of them")
    run = simulate(0.01)
    scaled(run, PLACE, MATRIX, 0.5)
    rules = judged(run, IntegrityLimits(max_detour=99.0))
    assert rules.status[PLACE][1].startswith("matrix1 lies off the path of the run, up to ")
    assert rules.odd_tensor[PLACE] == "matrix1"
    assert rules.excess[PLACE] > 1
    run = simulate(0.01)
    other(run, 12, ALL, 0.01)
    assert "as far from the step before as from the start, limit 0.95" in judged(run).status[12][1]


def test_each_limit_reaches_its_rule():
    run = simulate(0.01)
    mean(run, ALL)
    assert found(run, min_chord=0.0) == {}
    run = simulate(0.01)
    scaled(run, PLACE, MATRIX, 0.5)
    assert found(run, max_norm_jump=9.0, max_tensor_jump=99.0, max_detour=99.0) == {}
    run = simulate(0.01)
    scaled(run, PLACE, MATRIX, -1.0)
    assert found(run, max_turn=2.0, max_tensor_jump=99.0, max_detour=99.0) == {}
    run = simulate(0.01)
    other(run, 12, ALL, 0.01)
    assert found(run, max_end_distance=99.0, max_turn=2.0) == {}


def test_a_run_of_three_steps_is_too_short_for_its_tensors_and_none_is_judged():
    rules = TensorRules(
        [0, 1, 2],
        tensors=[("a", (2, 2))],
        norms=np.ones((3, 1)),
        distances=np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))),
        projections=np.random.default_rng(0).standard_normal((3, 1, 4)),
        log_loss=np.full(3, np.nan),
    )
    rules.judge_tensors(DEFAULT_LIMITS)
    assert rules.status == {}
    assert np.isnan(rules.excess).all()
