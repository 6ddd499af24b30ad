"""Blocks and slabs follow from the memory."""

from dataclasses import replace

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.plan import make_plan
from tests.models.influence.layers import CERTIFIED


def test_a_budget_too_small_is_refused_with_numbers(layer):
    with pytest.raises(RequestError, match=r"memory_gb=0\.001 holds 0 neurons of 160 beside a vocabulary of 2048 x 64"):
        measure_panel(layer, replace(CERTIFIED, memory_gb=0.001))


def test_a_large_memory_takes_all_neurons_and_a_small_one_slabs(layer):
    whole = make_plan(layer, CERTIFIED)
    assert (whole.positions, whole.neurons) == (512, 160)
    sizes = [make_plan(layer, replace(CERTIFIED, memory_gb=gb)) for gb in (0.1, 0.2, 0.4)]
    assert [plan.positions for plan in sizes] == sorted(plan.positions for plan in sizes)
    assert sizes[0].positions < 512


def test_coarse_gradients_only_where_the_tolerance_allows_their_rounding(layer, monkeypatch):
    monkeypatch.setattr("rare_neurons.models.influence.plan.FLOAT32_GRADIENT_FROM", 0)
    found = {se: make_plan(layer, replace(CERTIFIED, tolerance_se=se)).gradient_dtype for se in (0.1, 1e-5)}
    assert found == {0.1: torch.float32, 1e-5: torch.float64}
