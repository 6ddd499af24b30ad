"""Relative errors follow from the dtypes of a pass's products, and bounds cover what the dtypes do."""

import math
from dataclasses import replace

import pytest
import torch

from rare_neurons.models.influence.directions import project_classes
from rare_neurons.models.influence.moments import GRADIENT_SUM_32, OWN, REST
from rare_neurons.models.influence.rounding import (
    ENCLOSURE_32,
    enclosure_rounding,
    group_rounding,
    relative_errors,
    target_rounding,
)
from tests.models.influence.blocks import random_block


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_gradients_product_errs_only_in_float32(dtype):
    errors = relative_errors(random_block(gradient_dtype=dtype).visitor)
    assert errors.gradient == (GRADIENT_SUM_32 if dtype == torch.float32 else 0.0)


def test_coarser_products_have_larger_errors():
    visitor = random_block().visitor
    coarse = replace(visitor.directions, squares=visitor.directions.squares.bfloat16())
    fine = relative_errors(visitor).square
    visitor.directions = coarse
    assert 2.0**-8 < relative_errors(visitor).square < 0.05
    assert 0 < fine < 1e-3


@pytest.mark.parametrize("group", [OWN, REST])
def test_bounds_grow_with_the_change_and_vanish_without_one(group):
    block = random_block()
    moments = block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))
    norms, rows = block.directions.norms, slice(None)

    def bound(factor):
        sizes = factor * block.ablation.epsilon.abs(), factor * block.ablation.eta.abs()
        own = group_rounding(group, rows, moments, norms=norms, sizes=sizes, gradient_error=0.0)
        return own + target_rounding(rows, moments, norms=norms, sizes=sizes)

    assert float(bound(0.0).abs().max()) == 0.0
    assert bool((bound(2.0) >= bound(1.0)).all())


def test_the_arithmetic_of_an_enclosure_counts_in_float32_alone():
    """Relative to the largest change of a logit, here 0.5 * 2 + 0.1 * 10."""
    sizes = torch.tensor([[0.5]]), torch.tensor([[0.1]])
    sup = {"sup_h": torch.tensor([[2.0]]), "sup_U": torch.tensor([10.0])}
    assert float(enclosure_rounding(sizes, **sup)) == pytest.approx(ENCLOSURE_32 * 2 * math.e**2, rel=1e-6)
    assert enclosure_rounding(tuple(x.double() for x in sizes), **sup) is None
