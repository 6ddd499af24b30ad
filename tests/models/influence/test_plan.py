"""Blocks and slabs follow from the memory."""

from dataclasses import replace

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.panel_pass import measure_panel
from tests.models.influence.layers import CERTIFIED


def test_a_budget_too_small_is_refused_with_numbers(layer):
    with pytest.raises(RequestError, match=r"memory_gb=0\.001 holds 0 neurons of 160 beside a vocabulary of 2048 x 64"):
        measure_panel(layer, replace(CERTIFIED, memory_gb=0.001))
