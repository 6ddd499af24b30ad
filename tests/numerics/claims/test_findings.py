"""Rows of tables as findings, with the numbers that one computes by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from rare_neurons.numerics.claims.findings import (
    BAND_SD,
    Finding,
    of_counts,
    of_interaction,
    of_organisation,
    of_routing,
)

BAND = {"null_low": -1.0, "null_median": 0.5, "null_high": 2.0}


def test_a_set_is_compared_with_the_median_of_its_like_and_with_the_placebo():
    row = {"value": 3.0, "placebo_value": 1.0, "claim_p": 0.02, "reason": None, **BAND}
    assert of_organisation(8, row) == Finding(8, 2.5, 2.0, 3.0 / BAND_SD, p_rise=0.02)
    blank = of_organisation(8, {**row, "claim_p": None, "reason": "covariates choose it"})
    assert (blank.beyond, blank.reason) == (None, "covariates choose it")


@pytest.mark.parametrize(("value", "sides"), [(3.0, (0.02, 0.98)), (-3.0, (0.98, 0.02))])
def test_a_two_sided_p_belongs_to_the_side_of_the_value(value, sides):
    row = {"interaction": value, "p_value": 0.04, "status": "ok", "reason": None, "placebo_interaction": 1.0, **BAND}
    found = of_interaction(8, row)
    assert (found.p_rise, found.p_fall) == pytest.approx(sides)
    assert found.placebo == value - 1.0
    assert of_interaction(8, {**row, "status": "not_identifiable", "reason": "so"}).beyond is None


def test_the_furthest_head_has_one_p_and_its_normal_score():
    rows = [{"status": "ok", "p_max": 0.0505}, {"status": "ok", "p_max": 0.0505}]
    found = of_routing(8, rows)
    assert found.p_rise == 0.0505
    assert found.beyond == pytest.approx(norm.isf(0.05))
    assert of_routing(8, [{"status": "cannot_act", "reason": "no path"}]).reason == "no path"


def test_scores_of_exchangeable_sets_are_standard_normal():
    p = np.arange(1, 1001) / 1000
    scores = [of_routing(1, [{"status": "ok", "p_max": x}]).beyond for x in p]
    assert np.mean(scores) == pytest.approx(0, abs=0.01)
    # Cut off at 1 in 2,000, which takes half a per cent of the deviation.
    assert np.std(scores) == pytest.approx(1, abs=0.01)


def test_counts_are_compared_by_fishers_test():
    found = of_counts(8, 6, 0, 256)
    assert found.beyond == 6 / 256
    # All six in the one half of 512 neurons.
    assert found.p_rise == pytest.approx(np.prod((256 - np.arange(6)) / (512 - np.arange(6))))
    assert found.spread == pytest.approx(np.sqrt(2 * (3 / 256) * (253 / 256) / 256))
    assert of_counts(8, 0, 0, 256).spread > 0
