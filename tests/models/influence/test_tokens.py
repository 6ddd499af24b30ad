"""What is known of a block of targets, and the unigram over columns."""

import numpy as np
import torch

from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.panel_arrays import sort_vocabulary
from tests.models.influence.blocks import random_block


def test_a_unigram_is_sorted_by_column_and_knows_what_it_has_not_seen():
    vocabulary = sort_vocabulary(np.array([1, 0, 1]), n_strata=2, n_vocab=5)  # columns: ids 1, 0, 2, then padding
    found = make_unigram(np.log([0.2, 0.6, 0.0], where=[True, True, False], out=np.full(3, -np.inf)), vocabulary, "cpu")
    torch.testing.assert_close(found.q, torch.tensor([0.75, 0.25, 0, 0, 0]).double())
    torch.testing.assert_close(found.log_q, torch.tensor([0.75, 0.25, 1, 1, 1]).double().log())
    assert found.seen.tolist() == [1, 1, 0, 0, 0]


def test_log_probabilities_are_those_of_the_plain_softmax():
    block = random_block()
    torch.testing.assert_close(block.tokens.log_p(slice(None)), block.p.log(), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(block.tokens.log_p(2), block.p[2].log(), rtol=1e-10, atol=1e-12)
    rows = torch.tensor([True, False, True, False, False, False])
    torch.testing.assert_close(block.tokens.log_p(rows), block.p[rows].log(), rtol=1e-10, atol=1e-12)


def test_the_targets_logit_is_that_of_its_column():
    block = random_block()
    target_log_p = block.tokens.target_logit - block.tokens.log_norm
    expected = block.p.gather(1, block.tokens.target[:, None])[:, 0].log()
    torch.testing.assert_close(target_log_p, expected, rtol=1e-10, atol=1e-12)
