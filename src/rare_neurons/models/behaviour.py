"""Per-target behaviour of the unablated model: loss, entropy, divergence from the unigram, residual gradient."""

from __future__ import annotations

import numpy as np
import torch

from rare_neurons.models.panel_arrays import PanelArrays, SortedVocabulary
from rare_neurons.models.readout import Readout
from rare_neurons.models.tokens import TokenBlock, residual_gradient


class BehaviourRows:
    """Fills per-target rows block by block; rows never filled stay NaN."""

    def __init__(self, panel: PanelArrays, vocabulary: SortedVocabulary, readout: Readout) -> None:
        self.panel, self.readout = panel, readout
        names = ("loss", "entropy", "kl_model_to_unigram", "kl_unigram_to_model")
        self.rows = {name: np.full(len(panel.context), np.nan) for name in names}
        self.gradient = torch.zeros(len(panel.strata), readout.A.shape[1], dtype=torch.float64, device=readout.A.device)
        log_unigram = np.full(len(vocabulary.order), -np.inf)
        log_unigram[: len(panel.log_unigram)] = panel.log_unigram
        log_q = torch.from_numpy(log_unigram)[vocabulary.order].to(readout.A.device)
        # ids the training text never has (padding) have no unigram: both laws are conditioned on the others
        self.seen = torch.isfinite(log_q)
        self.log_q = torch.where(self.seen, log_q, 0.0)
        self.q = torch.where(self.seen, log_q.exp(), 0.0)
        self.log_q = self.log_q - self.q.sum().log() * self.seen
        self.q = self.q / self.q.sum()

    def add(self, rows: np.ndarray, tokens: TokenBlock, residual: torch.Tensor) -> None:
        """Add a block whose panel rows are `rows` and whose final residual is `residual` `[pos, d_model]`."""
        p_seen = tokens.log_p.exp() * self.seen
        mass = p_seen.sum(-1)
        cross = (p_seen @ self.log_q) / mass
        self_term = torch.xlogy(p_seen, p_seen).sum(-1) / mass - mass.log()
        self.rows["kl_model_to_unigram"][rows] = (self_term - cross).cpu().numpy()
        log_p = torch.where(self.seen, tokens.log_p, 0.0)
        reverse = torch.xlogy(self.q, self.q).sum() - log_p @ self.q + mass.log()
        self.rows["kl_unigram_to_model"][rows] = reverse.cpu().numpy()
        self.rows["loss"][rows] = tokens.loss.cpu().numpy()
        self.rows["entropy"][rows] = tokens.entropy.cpu().numpy()
        stratum = torch.as_tensor(self.panel.stratum[rows].astype(np.int64), device=residual.device)
        self.gradient.index_add_(0, stratum, residual_gradient(self.readout, tokens, residual))

    def finish(self) -> dict[str, np.ndarray]:
        """Per-target rows and the mean gradient of each stratum (NaN where it has no targets)."""
        n = np.bincount(self.panel.stratum, minlength=len(self.panel.strata))[:, None]
        total = self.gradient.cpu().numpy()
        return {**self.rows, "residual_gradient": np.where(n > 0, total / np.maximum(n, 1), np.nan)}
