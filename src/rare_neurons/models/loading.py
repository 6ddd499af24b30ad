"""Weights from a folder into a model in memory, refusing anything that is not all there."""

from __future__ import annotations

import errno
import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from rare_neurons.errors import DataFault
from rare_neurons.families import family_of

_UNREADABLE = (SafetensorError, pickle.UnpicklingError, EOFError, RuntimeError, OSError, ValueError)


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


def read_config(folder: Path) -> dict:
    """Read a checkpoint folder's `config.json`; `DataFault` where there is none or it is not JSON."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise DataFault(f"no config.json in {Path(folder).name}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataFault(f"config.json of {Path(folder).name} is not JSON: {error}") from error


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
    family = family_of(read_config(folder))
    try:
        stored = tensor_names(folder)
        model = _empty_model(folder, dtype)
        wanted = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
        tied = {"lm_head.weight"} - wanted.keys()
        place = {name: family.in_memory(name) for name in stored if not family.is_legacy_buffer(name)}
        _refuse("missing", wanted.keys() - set(place.values()), folder)
        _refuse("unexpected", {name for name, path in place.items() if path not in wanted.keys() | tied}, folder)
        with placed(model, device, dtype, placement, family) as put:
            _fill(put, folder, place, wanted)
    except DataFault as fault:
        if folder.name in str(fault) and str(fault)[0].isdigit():
            raise
        raise DataFault(f"weights of {folder.name} cannot be read: {fault}") from fault
    return model.eval()


def _refuse(what: str, tensors: set[str], folder: Path) -> None:
    if tensors:
        first = sorted(tensors)[0]
        raise DataFault(f"{len(tensors)} tensors {what} in {folder.name}, first {first!r}")


def _is_machine_fault(error: BaseException) -> bool:
    """Memory, permissions and input/output errors say nothing about the checkpoint."""
    if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
        return True
    return isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE)


def _first_line(error: BaseException, folder: Path) -> str:
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.replace(str(folder), folder.name)[:300]
