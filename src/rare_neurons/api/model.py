"""A transformers model as it is measured: whole, in evaluation, and left as it was."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of

_WRAPPERS = ("module", "_orig_mod")
"""Where wrappers keep the model: DataParallel and its kin, and ``torch.compile``."""


def plain_model(model: object) -> PreTrainedModel:
    """Return the causal language model in whatever wrapper it is, if its family is known and all of it is here.

    Raises
    ------
    RequestError
        Saying what is given instead, or what is supported.
    """
    found = model
    while not isinstance(found, PreTrainedModel) and any(hasattr(found, name) for name in _WRAPPERS):
        found = next(getattr(found, name) for name in _WRAPPERS if hasattr(found, name))
    if not isinstance(found, PreTrainedModel) or found.get_output_embeddings() is None:
        raise RequestError(
            f"model: a {type(model).__name__} is given, but a causal language model of transformers is needed, such as "
            "AutoModelForCausalLM.from_pretrained returns"
        )
    family_of(found.config.to_dict())
    away = [name for name, value in found.named_parameters() if value.is_meta or value.numel() == 0]
    if away:
        raise RequestError(
            f"model: {len(away)} parameters are not in this process, first {away[0]!r} (sharded or offloaded); gather "
            "them, or measure the checkpoint that the training saves"
        )
    return found


@contextmanager
def at_rest(model: PreTrainedModel) -> Iterator[PreTrainedModel]:
    """Put a model into evaluation and every module back into its mode afterwards; no random number is drawn."""
    training = {module: module.training for module in model.modules()}
    try:
        yield model.eval()
    finally:
        for module, mode in training.items():
            module.training = mode


def tensors_of(model: PreTrainedModel) -> Iterator[tuple[str, np.ndarray]]:
    """Yield parameters by name as arrays in host memory, one at a time; bfloat16 as float32."""
    for name, value in _state(model).items():
        host = value.detach().cpu()
        yield name, (host.float() if host.dtype == torch.bfloat16 else host).numpy()


def shapes_of(model: PreTrainedModel) -> dict[str, tuple[int, ...]]:
    """Shape of each of these."""
    return {name: tuple(value.shape) for name, value in _state(model).items()}


def digest_of_model(model: PreTrainedModel) -> str:
    """Hash of all parameters, their names and dtypes."""
    found = hashlib.sha256()
    for name, value in _state(model).items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _state(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    return dict(sorted(model.state_dict().items()))
