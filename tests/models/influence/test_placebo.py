"""Placebos against the plain way: the engine run on a copy of the layer whose rows of W_out are permuted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rare_neurons.models.influence import panel_pass
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.plan import Plan
from rare_neurons.models.influence.probe import _forward, _inputs
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.moments import disjoint_products, ratio_of_pairs
from rare_neurons.numerics.influence.placebo import placebo_permutations
from tests.models.influence.layers import CERTIFIED, EXACT
from tests.models.tiny import random_model, random_panel

DRAWS = {"placebo_draws": 2, "placebo_seed": 3}
SHARP = replace(CERTIFIED, tolerance=1e-9, tolerance_se=0.001)
"""A hundredth of the tolerance that is tested: what the exact engine says, at a fraction of its cost."""


def permuted(inputs, settings):
    """Moments of each draw from a whole pass of its own, with the network's own activations and residuals."""
    W = inputs.block.W_out
    draws = placebo_permutations(W.norm(dim=-1).numpy(), n_draws=2, seed=3)
    sums, pairs = [], []
    for neuron_of_row in draws:
        copy = torch.empty_like(W)
        copy[torch.from_numpy(neuron_of_row)] = W
        found = measure_panel(replace(inputs, block=replace(inputs.block, W_out=copy)), settings)
        cells = np.moveaxis(found["cell_within_sum"], -1, 0)
        sums.append(cells.mean(0))
        pairs.append(disjoint_products(cells).mean(0))
    return np.stack(sums), np.stack(pairs)


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "llama", "opt-no-norm", "olmo2"])
def test_exact_placebos_are_those_of_a_permuted_copy(name):
    model, panel = random_model(name), random_panel()
    inputs = _inputs(model, panel, lambda: _forward(model, panel, None, False, None))
    found = measure_panel(inputs, replace(EXACT, **DRAWS))
    sums, pairs = permuted(inputs, EXACT)
    np.testing.assert_allclose(found["placebo_within_sum"], sums, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["placebo_within_pairs"], pairs, rtol=0, atol=1e-12)
    assert np.abs(sums[0] - sums[1]).max() > 1e-3


def test_certified_placebos_are_within_their_tolerance(layer, exact):
    """The mean over neurons errs by at most the mean over neurons of twice the tolerance."""
    found = measure_panel(layer, replace(CERTIFIED, **DRAWS))
    sums, pairs = permuted(layer, SHARP)
    n = found["cell_n"].sum((1, 2))
    truth, error = (values.sum((2, 3)) / n for values in (sums, found["placebo_within_sum"] - sums))
    allowed = 2 * np.maximum(1e-7, 0.1 * exact["influence_within_se"]).mean(-1)
    allowed -= 2 * np.maximum(1e-9, 0.001 * exact["influence_within_se"]).mean(-1)  # the reference's own
    assert (np.abs(error) <= allowed).all()
    assert np.abs(truth).max() > 10 * np.abs(error).max()
    for draw, stratum in np.ndindex(2, 3):
        counts = found["cell_n"][stratum]
        one, other = (ratio_of_pairs(p[draw, stratum], counts) for p in (found["placebo_within_pairs"], pairs))
        # An error of a tenth of a neuron's standard error is little beside the noise of their mean square.
        assert abs(one.value - other.value) < 0.1 * standard_error(other)


def test_slabs_and_blocks_do_not_change_placebos(layer, monkeypatch):
    whole = measure_panel(layer, replace(CERTIFIED, **DRAWS))
    plan = Plan(positions=100, neurons=64, product_dtype=torch.float32, gradient_dtype=torch.float64)
    monkeypatch.setattr(panel_pass, "make_plan", lambda *_args: plan)
    parts = measure_panel(layer, replace(CERTIFIED, **DRAWS))
    scale = np.abs(whole["placebo_within_sum"]).max()
    np.testing.assert_allclose(parts["placebo_within_sum"], whole["placebo_within_sum"], atol=0.01 * scale)


def test_without_draws_there_is_nothing(layer):
    found = measure_panel(layer, CERTIFIED)
    assert found["placebo_within_sum"].shape == (0, 3, N_FOLDS, N_FOLDS)
    with_draws = measure_panel(layer, replace(CERTIFIED, **DRAWS))
    for name in ("influence", "cell_within_sum", "influence_within_se"):
        np.testing.assert_array_equal(found[name], with_draws[name])
