"""Weights from a folder into a model in memory, refusing anything that is not all there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from accelerate import init_empty_weights
from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from rare_neurons.checkpoints.files import read_config
from rare_neurons.checkpoints.tensors import iter_tensors, read_tensor, tensor_shapes
from rare_neurons.errors import DataFault, RequestError, shown
from rare_neurons.families import Family, checked_matrices, family_of
from rare_neurons.models.placement import Placement, fill_model

GRADIENT_DTYPE = "float32"
"""Of gradients, and of what is a small difference of them: half of the digits of bfloat16 would be rounding."""
_ATTENTION = "sdpa"
"""What transformers takes for these families by itself; a configuration may name a repository of kernels instead."""
_NAMED = 5  # tensors in a message
_ROTARY_KEYS = {"rope_scaling", "rope_theta", "rotary_emb_base", "rotary_pct", "partial_rotary_factor"}
"""Older names of rotary settings, which are no fields of the configuration's class."""
_IMPOSSIBLE = (
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RuntimeError),
    StrictDataclassError,
)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bar and load report out of a job's log; both are read from the loading info."""
    verbosity, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bar:
            transformers_logging.enable_progress_bar()


def load_model(
    folder: Path, *, dtype: torch.dtype, device: str = "cpu", placement: Placement | None = None
) -> PreTrainedModel:
    """Load a causal language model from a folder, in evaluation mode and in the dtype asked for.

    The model is initialised on the meta device and filled tensor by tensor (`.safetensors` or `.bin`, sharded or
    not), each cast on its way, so that the peak is the weights and the largest tensor.

    Parameters
    ----------
    folder : Path
    dtype : torch.dtype
        Whatever the files hold.
    device : str
        Where the model runs; with a placement, where its final block and readout are.
    placement : Placement, optional
        Where the rest goes if the device is too small.

    Raises
    ------
    RequestError
        If the family is not supported.
    DataFault
        If files are truncated or unreadable, or a tensor is missing, unexpected, of another shape, or not finite.
    """
    folder = Path(folder)
    config = read_config(folder)
    family = family_of(config)
    with _unreadable(folder):
        names = tensor_shapes(folder)
        checked_matrices(config, names)
    stored = {name: family.in_memory(name) for name in names if not family.is_legacy_buffer(name)}
    model = _empty_model(folder, family, config, dtype)
    shapes = {path: tuple(parameter.shape) for path, parameter in model.named_parameters()}
    _refuse("missing", shapes.keys() - set(stored.values()), folder)
    _refuse("unexpected", {name for name, path in stored.items() if path not in {*shapes, *_tied(model)}}, folder)
    copies = Counter(stored.values())
    _refuse("stored twice", {name for name, path in stored.items() if copies[path] > 1}, folder)
    tensors = _checked(folder, stored, shapes)
    fill_model(model, tensors, device=device, dtype=dtype, placement=placement)
    _refuse("tied to another, and stored with other values,", _untied(model, folder, stored), folder)
    return model.eval()


def load_for_gradients(folder: Path, *, device: str, length: int) -> PreTrainedModel:
    """Load a checkpoint in `GRADIENT_DTYPE`; contexts of `length` tokens must not be too long for it."""
    model = load_model(folder, dtype=getattr(torch, GRADIENT_DTYPE), device=device)
    check_length(model, length)
    return model


def check_length(model: PreTrainedModel, length: int) -> None:
    """Refuse contexts that are longer than a model has positions.

    Raises
    ------
    RequestError
        Naming both lengths.
    """
    config = model.config.to_dict()
    family = family_of(config)
    if family.learned_positions and length > config[family.positions_key]:
        raise RequestError(
            f"contexts of {length} tokens, but the model has {config[family.positions_key]} positions "
            f"({family.positions_key}); lower the panel's context_length"
        )


def _tensors(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    with _unreadable(folder):
        yield from iter_tensors(folder)


@contextmanager
def _unreadable(folder: Path) -> Iterator[None]:
    try:
        yield
    except DataFault as fault:
        raise DataFault(f"weights of {folder.name} cannot be read: {fault}") from fault


def _checked(
    folder: Path, stored: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield what the model needs under its paths in memory, and refuse at the end what does not fit."""
    mismatched, not_finite = set(), set()
    for name, array in _tensors(folder):
        path = stored.get(name)
        if path not in shapes:
            continue  # a legacy buffer, or a tied unembedding stored beside its embedding
        if array.shape != shapes[path] or array.dtype.kind != "f":
            mismatched.add(path)
            continue
        tensor = torch.from_numpy(array)
        if not bool(torch.isfinite(tensor).all()):
            not_finite.add(path)
        yield path, tensor
    _refuse("mismatched", mismatched, folder)
    _refuse("not finite", not_finite, folder)


def _empty_model(folder: Path, family: Family, config: Mapping[str, object], dtype: torch.dtype) -> PreTrainedModel:
    """Build the architecture without memory for its parameters; buffers follow from the configuration and are real."""
    with _quiet():
        try:
            settings = _settings(family, config)
            with init_empty_weights(include_buffers=False):
                model = AutoModelForCausalLM.from_config(
                    settings, dtype=dtype, attn_implementation=_ATTENTION, trust_remote_code=False
                )
        except _IMPOSSIBLE as error:
            if "allocate memory" in str(error):
                raise  # the machine's fault
            raise DataFault(f"config.json of {folder.name} describes no model: {_first_line(error, folder)}") from error
    model.tie_weights()
    return model


def _settings(family: Family, config: Mapping[str, object]) -> PreTrainedConfig:
    """Take from a configuration what describes the architecture, and nothing that names code, kernels or outputs."""
    kind = CONFIG_MAPPING[family.model_type]
    own = {field.name for field in fields(kind)} - {field.name for field in fields(PreTrainedConfig)}
    return kind(**{key: value for key, value in config.items() if key in own | _ROTARY_KEYS})


def _untied(model: PreTrainedModel, folder: Path, stored: Mapping[str, str]) -> set[str]:
    """Find the stored tensors that the configuration ties to others, and that differ from those."""
    both = [name for name, path in stored.items() if path in _tied(model)]
    kept = {name: model.get_parameter(stored[name]).detach().cpu() for name in both}
    return {
        n for n, value in kept.items() if not torch.equal(value, torch.from_numpy(read_tensor(folder, n)).to(value))
    }


def _tied(model: PreTrainedModel) -> set[str]:
    """Paths that share another parameter's tensor."""
    return set(model.state_dict(keep_vars=True)) - {name for name, _ in model.named_parameters()}


def _refuse(what: str, tensors: set[str], folder: Path) -> None:
    if tensors:
        more = ", …" if len(tensors) > _NAMED else ""
        named = ", ".join(map(repr, sorted(tensors)[:_NAMED]))
        raise DataFault(f"{len(tensors)} tensors {what} in {folder.name}: {named}{more}")


def _first_line(error: BaseException, folder: Path) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return shown((" ".join(lines[:2]) or type(error).__name__).replace(str(folder), folder.name))
