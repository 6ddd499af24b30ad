"""Moments of a block against plain float64 sums, within the rounding they declare."""

import pytest
import torch

from rare_neurons.models.influence.directions import project_classes
from rare_neurons.models.influence.enclosure import Z_ORDER
from rare_neurons.models.influence.moments import block_sum_32
from rare_neurons.models.influence.scratch import VOCAB_BLOCK
from tests.models.influence.blocks import random_block

BLOCK_SUM_32 = block_sum_32(VOCAB_BLOCK)


@pytest.fixture(scope="module")
def block():
    return random_block()


@pytest.fixture(scope="module")
def moments(block):
    return block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))


def test_moments_are_plain_sums_over_both_groups(block, moments):
    U = block.W @ block.readout.A.T
    h = block.z - (block.p * block.z).sum(-1, keepdim=True)
    for group, columns in zip(moments.groups, block.groups(), strict=True):
        p, hg, Ug = block.p[:, columns], h[:, columns], U[:, columns]
        for j in range(Z_ORDER + 1):
            # rounding of float32 sums about the first origin, mixed by moving it, and as much again added on purpose
            parts = (p * ((hg + moments.shift).abs() ** j + moments.shift.abs() ** j)).sum(-1)
            slack = 2**j * parts * (BLOCK_SUM_32 if j > 1 else 1e-12)
            plain = (p * hg**j).sum(-1)
            assert bool(((group.h[:, j] - plain).abs() <= slack).all()), j
            if j in (4, Z_ORDER):  # these stand in bounds
                assert bool((group.h[:, j] >= plain).all()), j
        assert bool((group.h_square[:, 0] >= (p * hg**2).sum(-1)).all())
        torch.testing.assert_close(group.U, p @ Ug.T, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(group.UU, p @ (Ug**2).T, rtol=BLOCK_SUM_32, atol=0)
        # a range holds what float32 has rounded, and is wider by three roundings of z less the largest logit's at most
        wider = 3 * 2.0**-24 * moments.reach[:, 0] + 1e-12
        for beyond in (hg.amin(-1) - group.h_low[:, 0], group.h_high[:, 0] - hg.amax(-1)):
            assert bool(((beyond >= -1e-12) & (beyond <= wider)).all())  # the reference is itself off by float64's
        torch.testing.assert_close(group.U_low, Ug.amin(-1))
        torch.testing.assert_close(group.U_high, Ug.amax(-1))


@pytest.mark.parametrize("n_neurons", [3, 40], ids=["column by column", "through the width"])
def test_the_mixed_moment_of_some_neurons(n_neurons):
    block = random_block(n_neurons=n_neurons)
    found = block.visitor.finish(block.tokens, project_classes(block.tokens, block.W))
    chosen = torch.arange(n_neurons - 1, 0, -1)
    U = (block.W @ block.readout.A.T)[chosen]
    h = block.z - (block.p * block.z).sum(-1, keepdim=True)
    for sums, columns in zip(block.visitor.first_order(chosen, found), block.groups(), strict=True):
        p, hg = block.p[:, columns], h[:, columns]
        # Σ p |h| |A| |w| bounds what float32 products round, one large constant for both ways of adding up
        size = (p * (1 + hg.abs())) @ block.readout.A[columns].norm(dim=-1)
        slack = 8 * BLOCK_SUM_32 * size[:, None] * block.W[chosen].norm(dim=-1)
        assert bool(((sums - (p * hg) @ U[:, columns].T).abs() <= slack).all())


def test_reach_and_masses(block, moments):
    h = block.z - (block.p * block.z).sum(-1, keepdim=True)
    assert bool((moments.reach[:, 0] >= h.abs().amax(-1) - 1e-12).all())
    torch.testing.assert_close(moments.own_mass[:, 0], block.p[:, block.own].sum(-1), rtol=1e-10, atol=0)
    rows = (block.readout.A**2).sum(-1)
    for norm, columns in zip(moments.row_norm, block.groups(), strict=True):
        plain = (block.p[:, columns] @ rows[columns]).sqrt()
        torch.testing.assert_close(norm[:, 0], plain, rtol=1e-10, atol=0)
