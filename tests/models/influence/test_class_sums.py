"""The sums become expectations under the model and under the unigram."""

import torch

from rare_neurons.models.influence.moments import GRADIENT_SUM_32
from tests.models.influence.blocks import random_block


def test_expectations_against_plain_ones():
    block = random_block()
    expected, p, q = block.tokens.expected, block.p, block.unigram.q
    logits = block.z * block.tokens.scale + block.readout.b
    seen = block.unigram.seen.bool()
    plain = {
        "z": (p * block.z).sum(-1),
        "bias": p @ block.readout.b,
        "seen": p[:, seen].sum(-1),
        "log_q": p[:, seen] @ q[seen].log(),
        "seen_logit": (p * logits)[:, seen].sum(-1) / p[:, seen].sum(-1),
        "unigram_logit": logits @ q,
        "unigram_log_q": (q[seen] * q[seen].log()).sum(),
    }
    for name, value in plain.items():
        torch.testing.assert_close(getattr(expected, name), value, rtol=1e-10, atol=1e-12)
    assert float(expected.seen.max()) < 1  # some ids are unseen here


def test_gradients_in_float32_blocks_stay_within_their_rounding():
    coarse, fine = (random_block(gradient_dtype=dtype).tokens.class_A for dtype in (torch.float32, torch.float64))
    block = random_block()
    size = torch.stack([block.p[:, c] @ block.readout.A[c].abs() for c in block.vocabulary.slices])
    error = (coarse - fine).abs()
    assert bool((error <= GRADIENT_SUM_32 * size).all())
    assert float(error.max()) > 0
