"""Output directions on the vocabulary, against the plain product."""

import torch

from rare_neurons.models.influence.directions import project_classes
from tests.models.influence.blocks import random_block


def test_directions_are_the_plain_product_and_its_range_by_class():
    block = random_block()
    found, U = block.directions, block.W @ block.readout.A.T
    torch.testing.assert_close(found.U, U.float(), rtol=0, atol=0)
    torch.testing.assert_close(found.squares, (U**2).float(), rtol=2e-7, atol=0)  # one rounding to float32
    for k, columns in enumerate(block.vocabulary.slices):
        torch.testing.assert_close(found.low[k], U[:, columns].amin(1))
        torch.testing.assert_close(found.high[k], U[:, columns].amax(1))
    torch.testing.assert_close(found.norms, (block.W**2).sum(1).sqrt())
    torch.testing.assert_close(found.row_squares, (block.readout.A**2).sum(1))


def test_classes_sum_to_the_whole_vocabularys_expectation():
    block = random_block()
    U = block.W @ block.readout.A.T
    found = project_classes(block.tokens, block.W)
    for k, columns in enumerate(block.vocabulary.slices):
        torch.testing.assert_close(found[k], block.p[:, columns] @ U[:, columns].T, rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(found.sum(0), block.p @ U.T, rtol=1e-10, atol=1e-13)
