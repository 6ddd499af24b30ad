"""The pass over the vocabulary: every column once, and a class of little mass keeps its digits."""

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.scratch import CACHE, VOCAB_BLOCK
from rare_neurons.models.influence.vocabulary_pass import column_blocks, read_tokens
from rare_neurons.models.panel_arrays import sort_vocabulary
from tests.models.influence.blocks import random_block


def test_blocks_cover_every_column_once_and_none_two_classes():
    labels = np.repeat([0, 1, -1], [VOCAB_BLOCK + 5, 3, 2 * VOCAB_BLOCK])
    vocabulary = sort_vocabulary(labels, n_strata=2, n_vocab=len(labels))
    blocks = list(column_blocks(vocabulary))
    assert [(k, b.stop - b.start) for k, b in blocks] == [
        (0, VOCAB_BLOCK),
        (0, 5),
        (1, 3),
        (2, VOCAB_BLOCK),
        (2, VOCAB_BLOCK),
    ]
    covered = np.concatenate([np.arange(b.start, b.stop) for _, b in blocks])
    np.testing.assert_array_equal(covered, np.arange(len(labels)))


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "none"])
@pytest.mark.parametrize("peak", [0.5, 30.0])
def test_class_sums_equal_plain_sums(kind, peak):
    """At peak 30 whole classes have probabilities below 1e-100."""
    block = random_block(kind=kind, peak=peak)
    tokens, log_p = block.tokens, torch.log_softmax(block.z * block.tokens.scale + block.readout.b, -1)
    for k, columns in enumerate(block.vocabulary.slices):
        mass = torch.logsumexp(log_p[:, columns], -1)
        torch.testing.assert_close(tokens.class_log_p[:, k], mass, rtol=1e-11, atol=1e-11)
        mean = torch.softmax(log_p[:, columns], -1) @ block.readout.A[columns]
        found = tokens.class_A[k] / tokens.class_log_p[:, k, None].exp()
        seen = torch.isfinite(found)  # beyond the range of floats there is no mass to divide by
        torch.testing.assert_close(found[seen], mean[seen], rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(tokens.class_z.sum(-1), (log_p.exp() * block.z).sum(-1), rtol=1e-10, atol=1e-10)


def test_the_visitor_meets_what_was_said_and_changes_nothing():
    block = random_block()
    seen = []

    class Watcher:
        gradient_dtype = torch.float64
        chunks = CACHE

        def logits(self, like, n_vocab):
            return torch.empty(len(like), n_vocab, dtype=torch.float64)

        def start(self, z, *, reference, top):
            self.reference = reference
            best = (z * block.tokens.scale + block.readout.b).argmax(-1, keepdim=True)
            assert torch.equal(top, z.gather(-1, best))

        def visit_rows(self, rows, columns, group, *, e, z):
            logits = z * block.tokens.scale[rows] + block.readout.b[columns]
            expected = (logits - self.reference[rows, group, None]).exp()
            torch.testing.assert_close(e, expected, rtol=1e-10, atol=0)
            self.met = e

        def visit(self, columns, group, *, e):
            assert torch.equal(e, self.met)  # so few positions are one piece
            seen.append((columns, group))

    residual = torch.linalg.lstsq(block.readout.A, block.z.T).solution.T
    given = {"residual": residual, "target": block.tokens.target, "own_class": 1}
    watched = read_tokens(block.readout, block.vocabulary, block.unigram, **given, visitor=Watcher())
    alone = read_tokens(block.readout, block.vocabulary, block.unigram, **given)
    assert seen == [(columns, 0 if k == 1 else 1) for k, columns in column_blocks(block.vocabulary)]
    assert torch.equal(watched.log_norm, alone.log_norm)
