"""Behaviour of the unablated model at each target: every quantity is one function of a block of positions, in nats.

A new quantity is a function here and its name in `QUANTITIES`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from rare_neurons.models.influence.tokens import TokenBlock


def loss(tokens: TokenBlock) -> torch.Tensor:
    """Minus the log probability of the target `[pos]`."""
    return tokens.log_norm - tokens.target_logit


def loss_within(tokens: TokenBlock) -> torch.Tensor:
    """Minus the log probability of the target among the tokens of its own class `[pos]`.

    The class is the target's own also where strata are those of the inputs, and ids without a stratum are a class too:
    the same as of the within-stratum part of an effect, which is the change of this loss.
    """
    return loss(tokens) + tokens.class_log_p[:, tokens.own_class]


def entropy(tokens: TokenBlock) -> torch.Tensor:
    """Entropy of the output distribution `[pos]`."""
    return tokens.log_norm - tokens.scale[:, 0] * tokens.expected.z - tokens.expected.bias


def kl_model_to_unigram(tokens: TokenBlock) -> torch.Tensor:
    """KL(model, unigram) `[pos]`, the model conditioned on the ids that the unigram has."""
    expected = tokens.expected
    return expected.seen_logit - _log_norm_seen(tokens) - expected.log_q / expected.seen


def kl_unigram_to_model(tokens: TokenBlock) -> torch.Tensor:
    """KL(unigram, model) `[pos]`, the model conditioned on the ids that the unigram has."""
    return tokens.expected.unigram_log_q - tokens.expected.unigram_logit + _log_norm_seen(tokens)


def _log_norm_seen(tokens: TokenBlock) -> torch.Tensor:
    return tokens.log_norm + tokens.expected.seen.log()


QUANTITIES: dict[str, Callable[[TokenBlock], torch.Tensor]] = {
    quantity.__name__: quantity for quantity in (loss, loss_within, entropy, kl_model_to_unigram, kl_unigram_to_model)
}


class BehaviourRows:
    """Fills every quantity's rows, one per target, block by block; rows never filled stay NaN."""

    def __init__(self, n_targets: int) -> None:
        self.rows = {name: np.full(n_targets, np.nan) for name in QUANTITIES}

    def add(self, rows: np.ndarray, stratum: int, tokens: TokenBlock, residual: torch.Tensor) -> None:
        """Add a block whose panel rows are `rows`."""
        for name, quantity in QUANTITIES.items():
            self.rows[name][rows] = quantity(tokens).cpu().numpy()

    def finish(self) -> dict[str, np.ndarray]:
        """Values of each quantity `[target]`."""
        return self.rows
