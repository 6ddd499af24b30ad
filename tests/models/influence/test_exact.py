"""Exact effects against the plain definition: ablate, normalise, unembed, softmax."""

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.exact import Probabilities, log_mean_exp, measure_exactly
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Norm, measure_ablation
from tests.models.influence.layers import random_layer


def normed(norm: Norm, x: torch.Tensor) -> torch.Tensor:
    c = x - x.mean(-1, keepdim=True) if norm.kind == "layer_norm" else x
    return c if norm.kind == "none" else c / torch.sqrt((c**2).mean(-1, keepdim=True) + norm.eps)


def plain_effects(layer, post: Norm | None, m: torch.Tensor | None, own: slice):
    """Loss after less loss before, and the same within the own class, one pair at a time `[pos, neuron]`."""
    readout, block, residual, delta, target = layer
    total, within = torch.empty_like(delta), torch.empty_like(delta)
    for t, i in np.ndindex(*delta.shape):
        change = delta[t, i] * block.W_out[i]
        if post is not None:
            change = (normed(post, m[t] + change) - normed(post, m[t])) * block.post_weight
        losses = []
        for r in (residual[t], residual[t] + change):
            logits = normed(readout.norm, r) @ readout.A.T + readout.b
            losses.append([torch.logsumexp(logits, -1) - logits[target[t]]])
            losses[-1].append(torch.logsumexp(logits[own], -1) - logits[target[t]])
        total[t, i], within[t, i] = losses[1][0] - losses[0][0], losses[1][1] - losses[0][1]
    return total, within


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "none"])
@pytest.mark.parametrize("post_norm", [False, True])
def test_every_pair_equals_its_plain_definition(kind, post_norm):
    layer = random_layer(5, 30, 8, 6, 0.5, 0.3, kind, 1.0)
    readout, block, residual, delta, target = layer
    post, m, hat = None, None, None
    if post_norm:
        g = torch.Generator().manual_seed(1)
        m, weight = torch.randn(6, 8, generator=g).double(), torch.randn(8, generator=g).double()
        post, hat = Norm("rms_norm", 1e-5), m * weight
        block = FinalBlock(block.W_out, post, weight)
    vocabulary = sort_vocabulary(np.arange(30) * 2 // 30, n_strata=2, n_vocab=30)
    own = vocabulary.slices[0]
    target = target % own.stop
    unigram = make_unigram(np.full(30, -np.log(30)), vocabulary, torch.device("cpu"))
    ablation = measure_ablation(readout.norm, block, residual=residual, delta=delta, mlp_output=m)
    tokens = read_tokens(
        readout, vocabulary, unigram, residual=residual, target=target, own_class=0, post_direction=hat
    )
    W = readout.norm.centre(block.W_out if hat is None else block.W_out * block.post_weight)
    found = measure_exactly(tokens, ablation, U=W @ readout.A.T, U_y=readout.A[target] @ W.T, own=own)
    total, within = plain_effects((readout, block, residual, delta, target), post, m, own)
    # losses of some nats, each from float64 sums: the plain difference itself loses these digits
    torch.testing.assert_close(found.total, total, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(found.within, within, rtol=1e-9, atol=1e-11)
    assert bool(found.exact.all())


def flat(n: int) -> Probabilities:
    p = torch.full((1, n), 1 / n, dtype=torch.float64)
    half = torch.tensor([0.5], dtype=torch.float64)
    return Probabilities(p, slice(0, n // 2), torch.ones(1, 2).double(), half, lambda _far: p.log())


def test_small_changes_keep_their_digits():
    x = torch.tensor([[1e-13, 3e-13, 0.0, 0.0]], dtype=torch.float64)
    both, own = log_mean_exp(x, flat(4))
    assert float(both) == pytest.approx(1e-13, rel=1e-10, abs=0)
    assert float(own) == pytest.approx(2e-13, rel=1e-10, abs=0)


@pytest.mark.parametrize("size", [2000.0, -2000.0])
def test_changes_beyond_the_range_of_floats_are_no_infinity(size):
    """All columns move alike by `size`: so does the logarithm."""
    both, own = log_mean_exp(torch.full((1, 4), size, dtype=torch.float64), flat(4))
    assert float(both) == pytest.approx(size)
    assert float(own) == pytest.approx(size)
