"""Mean losses from a plain forward pass: the measured change that an account is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import Batch


def plain_losses(
    model: PreTrainedModel, batches: Sequence[Batch], *, classes: np.ndarray, strata: Sequence[int]
) -> np.ndarray:
    """Mean losses `[stratum, part]` of some strata, whole and within, without gradients; softmaxes in float64.

    Parameters
    ----------
    classes : ndarray, shape (vocab,)
        Class of each token id.

    Raises
    ------
    DataFault
        If a loss is not finite.
    """
    n_strata = 1 + max(int(batch.stratum.max()) for batch in batches if len(batch.stratum))
    total, n = torch.zeros(n_strata, 2, dtype=torch.float64), torch.zeros(n_strata, 1)
    class_of_id = torch.from_numpy(classes)
    with torch.inference_mode():
        for batch in batches:
            hidden = model.base_model(input_ids=batch.token_ids.to(model.device), use_cache=False).last_hidden_state
            at = hidden[batch.context.to(hidden.device), batch.position.to(hidden.device)]
            log_p = torch.log_softmax(model.get_output_embeddings()(at).double(), 1).cpu()
            own = log_p.gather(1, batch.target_id[:, None])[:, 0]
            others = class_of_id[None, :] != class_of_id[batch.target_id][:, None]
            log_class = log_p.masked_fill(others, -torch.inf).logsumexp(1)
            total.index_add_(0, batch.stratum, torch.stack([-own, log_class - own], 1))
            n.index_add_(0, batch.stratum, torch.ones(len(own), 1))
    means = (total / n)[list(strata)].numpy()
    if not np.isfinite(means).all():
        raise DataFault("losses of the panel's targets are not finite")
    return means
