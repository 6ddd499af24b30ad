"""Mean cross-entropy of next tokens from hidden states, without ever holding all logits."""

import torch
from torch import Tensor

# Rows of logits at a time: with a vocabulary of some thousand tokens they stay in a core's cache, where all rows of a
# batch would be written to fresh memory and read back four times.
ROWS = 128


def mean_cross_entropy(hidden: Tensor, unembedding: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``-log softmax(hidden @ unembedding.T)[target]``, differentiable in both factors.

    Gradients are made along with the loss, block by block, so that no logit is computed twice.

    Parameters
    ----------
    hidden : Tensor of float, shape (n, d)
    unembedding : Tensor of float, shape (vocabulary, d)
        Without bias.
    targets : Tensor of int, shape (n,)

    Returns
    -------
    Tensor of float, shape ()
        Nats.
    """
    loss: Tensor = _MeanCrossEntropy.apply(hidden, unembedding, targets)
    return loss


class _MeanCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, hidden: Tensor, unembedding: Tensor, targets: Tensor
    ) -> Tensor:
        n = len(targets)
        of_hidden, of_unembedding = torch.empty_like(hidden), torch.zeros_like(unembedding)
        logits = hidden.new_empty(min(ROWS, n), len(unembedding))
        total = hidden.new_zeros(())
        for start in range(0, n, ROWS):
            rows = slice(start, min(start + ROWS, n))
            target = targets[rows, None]
            block = torch.mm(hidden[rows], unembedding.T, out=logits[: len(target)])
            block -= block.amax(1, keepdim=True)
            at_target = block.gather(1, target)
            norm = block.exp_().sum(1, keepdim=True)
            total += (norm.log() - at_target).sum()
            block /= norm * n
            block.scatter_add_(1, target, torch.full_like(norm, -1 / n))  # d mean / d logits
            torch.mm(block, unembedding, out=of_hidden[rows])
            of_unembedding.addmm_(block.T, hidden[rows])
        ctx.save_for_backward(of_hidden, of_unembedding)
        return total / n

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        of_hidden, of_unembedding = ctx.saved_tensors
        return of_hidden * upstream, of_unembedding * upstream, None
