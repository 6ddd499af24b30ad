"""Single pairs in float32 against the float64 engine, within the rounding they declare."""

import pytest
import torch

from rare_neurons.models.influence.directions import project_classes
from rare_neurons.models.influence.exact import measure_exactly
from rare_neurons.models.influence.pairs import COARSE_FROM, by_size, cut_by_size, evaluate_pairs, pair_rounding
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


def test_large_changes_come_last_and_no_chunk_mixes_both():
    block = random_block(strength=3.0, peak=0.3)
    moments = block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))
    everything = torch.nonzero(torch.ones_like(block.ablation.eta), as_tuple=True)
    (at, neuron), n_small, rounding = by_size(everything, block.ablation, block.visitor, moments)
    change = {"epsilon": block.ablation.epsilon[at, neuron], "eta": block.ablation.eta[at, neuron]}
    alone, size = pair_rounding((at, neuron), block.visitor, moments, **change)
    assert 0 < n_small < len(size)
    assert ((size >= COARSE_FROM) == (torch.arange(len(size)) >= n_small)).all()
    assert ((rounding > alone) == (size >= COARSE_FROM)).all()
    cuts = list(cut_by_size(len(size), n_small, 5))
    assert [k.stop - k.start <= 5 for k, _ in cuts] == [True] * len(cuts)
    assert torch.cat([torch.arange(len(size))[k] for k, _ in cuts]).tolist() == list(range(len(size)))
    assert all(large == (k.start >= n_small) and (large or k.stop <= n_small) for k, large in cuts)
