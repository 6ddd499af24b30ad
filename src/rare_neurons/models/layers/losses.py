"""Losses of targets from the final residual stream, differentiable, whole and within the target's stratum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of
from rare_neurons.models.panel_arrays import sort_vocabulary

_EXACT_ENOUGH = (torch.float32, torch.float64)


@dataclass(frozen=True)
class TargetLosses:
    """Losses of some targets `[target]`, nats, in the dtype of the logits.

    `whole` is `-log p(target)`, `within` is `-log p(target | the stratum of the target's id)`.
    """

    whole: torch.Tensor
    within: torch.Tensor


class LossReadout:
    """From the final residual stream to the losses of targets, by the model's own final norm and unembedding.

    The modules themselves are called, so that gradients reach the residual stream and the weights alike, and whatever
    the weights are at the time of the call is what counts.

    Parameters
    ----------
    model : PreTrainedModel
    vocab_stratum : int `[vocab]`
        Stratum of each token id, -1 for none; ids without one, padding included, are a class of their own.
    n_strata : int

    Raises
    ------
    RequestError
        For an unsupported family, or a panel of another tokenizer.
    """

    def __init__(self, model: PreTrainedModel, vocab_stratum: np.ndarray, *, n_strata: int) -> None:
        config = model.config.to_dict()
        family = family_of(config)
        self.head = model.get_output_embeddings()
        has_norm = family.norm_kind(config) != "none"
        self.norm = model.get_submodule(family.module(family.final_norm)) if has_norm else torch.nn.Identity()
        device = self.head.weight.device
        vocabulary = sort_vocabulary(vocab_stratum, n_strata=n_strata, n_vocab=len(self.head.weight))
        self.class_of_id = vocabulary.class_of_column[vocabulary.column].to(device)
        self.ids_of_class = tuple(vocabulary.order[part].to(device) for part in vocabulary.slices)

    def logits(self, residual: torch.Tensor) -> torch.Tensor:
        """Logits `[..., vocab]` of a final residual stream `[..., d_model]`, the input of the final norm."""
        return self.head(self.norm(residual))

    def losses(self, residual: torch.Tensor, target_id: torch.Tensor) -> TargetLosses:
        """Both losses of targets whose final residual is `residual` `[target, d_model]`."""
        return self.losses_of_logits(self.logits(residual), target_id)

    def losses_of_logits(self, logits: torch.Tensor, target_id: torch.Tensor) -> TargetLosses:
        """Both losses of targets `[target]` with logits `[target, vocab]`."""
        target_id = target_id.to(logits.device)
        own = logits.gather(1, target_id[:, None])[:, 0]
        return TargetLosses(logits.logsumexp(1) - own, self._class_logsumexp(logits, target_id) - own)

    def _class_logsumexp(self, logits: torch.Tensor, target_id: torch.Tensor) -> torch.Tensor:
        """Log-sum-exp over the ids of the target's own class `[target]`; each class touches its own columns alone."""
        own_class = self.class_of_id[target_id]
        rows = [torch.nonzero(own_class == k)[:, 0] for k in range(len(self.ids_of_class))]
        parts = [
            logits[mine][:, ids].logsumexp(1) for mine, ids in zip(rows, self.ids_of_class, strict=True) if len(mine)
        ]
        if not parts:
            return logits.new_zeros(0)
        return torch.cat(parts)[torch.argsort(torch.cat(rows))]


def require_full_precision(model: PreTrainedModel, what: str) -> None:
    """Refuse a model whose weights are of half precision.

    Raises
    ------
    RequestError
        Naming the dtype, and what cannot be measured in it.
    """
    found = sorted({str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.dtype not in _EXACT_ENOUGH})
    if found:
        raise RequestError(
            f"{what} cannot be measured in {', '.join(found)}: it is made of small differences of losses and "
            "gradients, which 8 to 11 bits do not resolve; use dtype float32"
        )
