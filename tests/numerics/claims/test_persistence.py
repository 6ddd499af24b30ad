"""One checkpoint is no claim, step 0 is none, and the p of two in a row holds its level however they depend."""

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from rare_neurons.numerics.claims.findings import Finding
from rare_neurons.numerics.claims.persistence import held_effect, held_p, rise_found, windows_of


def course(*p_values, steps=(0, 16, 128, 1000)):
    rows = zip(steps, p_values, strict=True)
    return [
        Finding(s, reason="no") if p is None else Finding(s, 1.0, spread=1.0, p_rise=p, p_fall=1 - p) for s, p in rows
    ]


def test_a_single_checkpoint_is_not_believed_and_step_0_does_not_count():
    assert held_p(course(0.9, 0.9, 0.001, 0.9), persistence=2, direction="rise") == 1.0
    assert held_p(course(0.001, 0.001, 0.9, 0.9), persistence=2, direction="rise") == 1.0
    assert held_p(course(0.9, 0.9, 0.001, 0.002), persistence=2, direction="rise") == pytest.approx(0.004)
    assert held_p(course(0.9, 0.999, 0.998, 0.9), persistence=2, direction="either") == pytest.approx(0.008)


def test_a_checkpoint_without_a_p_ends_a_window():
    findings = course(0.9, 0.001, None, 0.001)
    assert windows_of(findings, 2) == []
    assert held_p(findings, persistence=2, direction="rise") is None
    assert held_effect(findings, persistence=2, direction="rise", level=0.05, power=0.8) is None


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_false_positives_are_no_more_than_asked(correlation):
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(4000, 1)) * correlation**0.5
    z = shared + rng.normal(size=(4000, 3)) * (1 - correlation) ** 0.5
    ranks = z.argsort(axis=0).argsort(axis=0)
    p = np.concatenate([np.full((4000, 1), 0.5), (ranks + 1) / 4000], axis=1)
    hits = [held_p(course(*row), persistence=2, direction="rise") <= 0.05 for row in p]
    assert np.mean(hits) <= 0.05 + 2 * (0.05 * 0.95 / 4000) ** 0.5


def test_the_effect_that_would_have_been_found_is_found_in_four_of_five_cases():
    size = held_effect(course(0.5, 0.5, 0.5, 0.5)[:3], persistence=2, direction="rise", level=0.05, power=0.8)
    # One window: at each checkpoint alone.
    assert size == pytest.approx(1.645 + 0.842, abs=2e-3)


@pytest.mark.parametrize("start", [0, 7])
def test_a_rise_that_is_found_is_the_least_that_fishers_test_finds_often_enough(start):
    n, level, power = 60, 0.02, 0.8

    def often(share):
        counts = np.arange(n + 1)
        p = [fisher_exact([[c, n - c], [start, n - start]], alternative="greater").pvalue for c in counts]
        return binom.pmf(counts, n, share)[np.array(p) <= level].sum()

    found = start / n + rise_found(start, n, level=level, power=power)
    assert often(found) >= power > often(found - 1 / n)
    assert rise_found(n, n, level=level, power=power) is None
