"""What the engines and recorders know about a block of target positions: logits, class sums, expectations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.panel_arrays import SortedVocabulary


@dataclass(frozen=True)
class Unigram:
    """Training distribution over columns, conditioned on the ids it has: `q`, `log_q` (0 elsewhere), `seen` (0/1)."""

    q: torch.Tensor
    log_q: torch.Tensor
    seen: torch.Tensor


def make_unigram(log_unigram: np.ndarray, vocabulary: SortedVocabulary, device: torch.device) -> Unigram:
    """Sort a log-unigram `[vocab]` by column; ids beyond it, or of probability zero, are unseen."""
    padded = np.full(len(vocabulary.order), -np.inf)
    padded[: len(log_unigram)] = log_unigram
    log_q = torch.from_numpy(padded)[vocabulary.order].to(device)
    seen = torch.isfinite(log_q)
    log_q = torch.where(seen, log_q - torch.logsumexp(log_q, 0), 0.0)
    return Unigram(torch.where(seen, log_q.exp(), 0.0), log_q, seen.double())


@dataclass(frozen=True)
class Expectations:
    """Expectations over the vocabulary at a block of positions, float64, `[pos]` unless said otherwise.

    Under the model's output p: `z` and `bias` (E_p z, E_p b), `seen` (mass of the ids that the unigram has), `log_q`
    (E_p log q, over these), `seen_logit` (mean logit given one of these). Under the unigram q: `unigram_logit`
    (E_q logit), and the number `unigram_log_q` (E_q log q).
    """

    z: torch.Tensor
    bias: torch.Tensor
    seen: torch.Tensor
    log_q: torch.Tensor
    seen_logit: torch.Tensor
    unigram_logit: torch.Tensor
    unigram_log_q: torch.Tensor


@dataclass(frozen=True)
class TokenBlock:
    """A block of positions, vocabulary sorted by stratum; all float64.

    `z = A c(r)` `[pos, vocab]`, `q = A c(m̂)` for post-norm blocks; `log_norm` log-sum-exp of the logits and `target`
    column of the target token `[pos]`, all of class `own_class`; per class: `class_log_p` (log mass), `class_z`,
    `class_q` (Σ p z, Σ p q) `[pos, class]` and `class_A` (Σ p A) `[class, pos, d_model]`; `scale` and
    `residual_norm = |c(r)|` `[pos, 1]`; `expected` over the whole vocabulary.
    """

    z: torch.Tensor
    q: torch.Tensor | None
    bias: torch.Tensor
    scale: torch.Tensor
    residual_norm: torch.Tensor
    log_norm: torch.Tensor
    target: torch.Tensor
    own_class: int
    class_log_p: torch.Tensor
    class_z: torch.Tensor
    class_q: torch.Tensor | None
    class_A: torch.Tensor
    expected: Expectations

    @property
    def target_logit(self) -> torch.Tensor:
        """Logit of the target token `[pos]`."""
        return self.z.gather(-1, self.target[:, None])[:, 0] * self.scale[:, 0] + self.bias[self.target]

    def log_p(self, rows: torch.Tensor | int | slice) -> torch.Tensor:
        """Log probabilities of some positions."""
        return self.z[rows] * self.scale[rows] + self.bias - self.log_norm[rows, None]
