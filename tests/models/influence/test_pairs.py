"""Single pairs in float32 against the float64 engine, within the rounding they declare."""

import pytest
import torch

from rare_neurons.models.influence.directions import project_classes
from rare_neurons.models.influence.exact import measure_exactly
from rare_neurons.models.influence.pairs import evaluate_pairs
from tests.models.influence.blocks import random_block


@pytest.mark.parametrize("strength", [1e-6, 0.05, 3.0])
@pytest.mark.parametrize("peak", [0.3, 10.0])
def test_chosen_pairs_equal_the_exact_engines_once_each(strength, peak):
    block = random_block(strength=strength, peak=peak)
    U_y = block.readout.A[block.tokens.target] @ block.W.T
    moments = block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))
    chosen = torch.rand(U_y.shape, generator=torch.Generator().manual_seed(0)) < 0.4
    own = block.own
    at = torch.nonzero(chosen, as_tuple=True)
    found = evaluate_pairs(at, block.tokens, block.ablation, block.visitor, moments, U_y=U_y, own=own)
    truth = measure_exactly(block.tokens, block.ablation, U=block.W @ block.readout.A.T, U_y=U_y, own=own)
    chosen = found.at
    assert 0 < len(found.total) == len(at[0]) < U_y.numel()
    assert sorted(zip(*map(torch.Tensor.tolist, chosen), strict=True)) == list(
        zip(*map(torch.Tensor.tolist, at), strict=True)
    )
    bound = found.rounding + truth.rounding[chosen]
    for name in ("total", "within"):
        assert bool(((getattr(found, name) - getattr(truth, name)[chosen]).abs() <= bound).all()), name
    # no bound of its own: the size of the direct change times a few hundred float32 roundings
    size = truth.direct.abs().max() + 1e-6
    torch.testing.assert_close(found.direct, truth.direct[chosen], rtol=0, atol=float(1e-4 * size))
