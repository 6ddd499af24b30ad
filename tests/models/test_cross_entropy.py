"""Mean cross-entropy block by block: torch's own, and its gradients by finite differences."""

import pytest
import torch

from rare_neurons.models.cross_entropy import ROWS, mean_cross_entropy


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(0)

    def draw(n, dtype=torch.float64):
        hidden = 3 * torch.randn(n, 5, generator=generator, dtype=dtype)
        unembedding = torch.randn(11, 5, generator=generator, dtype=dtype)
        targets = torch.randint(0, 11, (n,), generator=generator)
        return hidden.requires_grad_(), unembedding.requires_grad_(), targets

    return draw


@pytest.mark.parametrize("n", [1, ROWS - 1, ROWS, 2 * ROWS + 3])
def test_loss_and_gradients_are_those_of_torch(drawn, n):
    hidden, unembedding, targets = drawn(n)
    loss = mean_cross_entropy(hidden, unembedding, targets)
    ours = torch.autograd.grad(2 * loss, (hidden, unembedding))
    reference = torch.nn.functional.cross_entropy(hidden @ unembedding.T, targets)
    theirs = torch.autograd.grad(2 * reference, (hidden, unembedding))
    torch.testing.assert_close(loss, reference, rtol=1e-13, atol=0)  # sums of some hundred float64
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-15)


def test_gradients_are_those_of_finite_differences(drawn):
    hidden, unembedding, targets = drawn(ROWS + 2)
    assert torch.autograd.gradcheck(lambda *factors: mean_cross_entropy(*factors, targets), (hidden, unembedding))


def test_logits_too_large_for_an_exponential_have_a_loss(drawn):
    hidden, unembedding, targets = drawn(4, torch.float32)
    loss = mean_cross_entropy(1e3 * hidden, unembedding, targets)
    reference = torch.nn.functional.cross_entropy(1e3 * hidden @ unembedding.T, targets)
    torch.testing.assert_close(loss, reference, rtol=1e-6, atol=0)  # float32
