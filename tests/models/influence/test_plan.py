"""Blocks and slabs follow from the memory."""

from dataclasses import replace

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.influence import plan
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.plan import make_plan
from rare_neurons.models.influence.scratch import CACHE, DEVICE
from rare_neurons.models.readout import FinalBlock
from tests.models.influence.layers import CERTIFIED


def test_a_budget_too_small_is_refused_with_numbers(layer):
    with pytest.raises(RequestError, match=r"memory_gb=0\.001 holds 0 neurons of 160 beside a vocabulary of 2048 x 64"):
        measure_panel(layer, replace(CERTIFIED, memory_gb=0.001))


def test_a_large_memory_takes_all_neurons_and_a_small_one_slabs(layer):
    whole = make_plan(layer, CERTIFIED)
    assert (whole.positions, whole.neurons) == (512, 160)
    sizes = [make_plan(layer, replace(CERTIFIED, memory_gb=gb)) for gb in (0.05, 0.2, 0.4)]
    assert [plan.positions for plan in sizes] == sorted(plan.positions for plan in sizes)
    assert sizes[0].positions < 512


def test_coarse_gradients_only_where_the_tolerance_allows_their_rounding(layer, monkeypatch):
    monkeypatch.setattr("rare_neurons.models.influence.plan.FLOAT32_GRADIENT_FROM", 0)
    found = {se: make_plan(layer, replace(CERTIFIED, tolerance_se=se)).gradient_dtype for se in (0.1, 1e-5)}
    assert found == {0.1: torch.float32, 1e-5: torch.float64}


def test_enclosures_in_float32_only_where_the_tolerance_allows_their_rounding(layer):
    found = {se: make_plan(layer, replace(CERTIFIED, tolerance_se=se)).enclosure_dtype for se in (0.1, 1e-5)}
    assert found == {0.1: torch.float32, 1e-5: torch.float64}


def test_memory_that_nobody_names_is_what_is_there(layer, monkeypatch):
    monkeypatch.setattr(plan, "usable_bytes", lambda _device: 200_000_000)
    assert make_plan(layer, replace(CERTIFIED, memory_gb=None)) == make_plan(layer, replace(CERTIFIED, memory_gb=0.2))


def test_12b_is_one_slab_on_a_large_device_and_a_block_one_chunk(layer, monkeypatch):
    """Weights on no device at all: 50,688 x 5,120 and 20,480 neurons; 80 GB less 48 of weights, four fifths of it."""
    monkeypatch.setattr(plan, "usable_bytes", lambda _device: 0.8 * 32e9)
    A, W_out = (torch.empty(n, 5120, dtype=torch.float64, device="meta") for n in (50_688, 20_480))
    large = replace(layer, readout=replace(layer.readout, A=A), block=FinalBlock(W_out, None, None))
    found = make_plan(large, replace(CERTIFIED, memory_gb=None, placebo_draws=4))
    assert (found.positions, found.neurons, found.chunks) == (512, 20_480, DEVICE)
    assert make_plan(layer, CERTIFIED).chunks == replace(CACHE, columns=512)  # 160 neurons
