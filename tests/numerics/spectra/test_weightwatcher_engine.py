"""weightwatcher's own fit: the same numbers as ours, its failures named, its side effects undone."""

import logging
import warnings

import numpy as np
import pytest

from rare_neurons.numerics.spectra.power_law import fit_power_law
from rare_neurons.numerics.spectra.weightwatcher_engine import fit_with_weightwatcher


def test_running_weightwatcher_leaves_filters_and_root_logging_alone(capsys):
    root = logging.getLogger()
    before = (warnings.filters[:], root.handlers[:], root.level)
    fit_with_weightwatcher(1 + np.random.default_rng(0).pareto(1.0, 50))
    assert (warnings.filters[:], root.handlers[:], root.level) == before
    assert capsys.readouterr() == ("", "")


def test_the_fit_is_ours():
    values = 1 + np.random.default_rng(1).pareto(1.5, 200)
    theirs, ours = fit_with_weightwatcher(values), fit_power_law(values)
    assert (theirs.status, theirs.n_tail, theirs.n) == ("ok", ours.n_tail, ours.n)
    assert (theirs.alpha, theirs.xmin, theirs.ks_distance) == pytest.approx((ours.alpha, ours.xmin, ours.ks_distance))


def test_what_it_would_fit_anyway_is_refused():
    assert fit_with_weightwatcher(np.ones(40)).status == "no_spread"
    few = fit_with_weightwatcher(np.arange(1.0, 11.0))
    assert (few.status, few.alpha, few.n) == ("too_few_values", None, 10)
    with pytest.raises(ValueError, match="1 of 30 values are not finite"):
        fit_with_weightwatcher(np.where(np.arange(30) == 3, np.nan, 1.0))
