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


def load_model(folder: Path, *, dtype: torch.dtype, device: str = "cpu") -> PreTrainedModel:
    """Load a causal language model from a folder, in evaluation mode and in the dtype asked for.

    Weights (`.safetensors` or `.bin`, sharded or not) are read into a model initialised on the meta device, so that
    the peak stays near the weights' own size.

    Raises
    ------
    RequestError
        If the family is not supported.
    DataFault
        If files are truncated or unreadable, or a tensor is missing, unexpected, of another shape, or not finite.
    """
    folder = Path(folder)
    family = family_of(read_config(folder))
    with _quiet():
        try:
            model, info = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
            )
        except _UNREADABLE as error:
            if _is_machine_fault(error):
                raise
            raise DataFault(f"weights of {folder.name} cannot be read: {_first_line(error, folder)}") from error
    _refuse("missing", info["missing_keys"], folder)
    _refuse("unexpected", {k for k in info["unexpected_keys"] if not family.is_legacy_buffer(k)}, folder)
    _refuse("mismatched", {str(entry[0]) for entry in info["mismatched_keys"]}, folder)
    not_finite = {name for name, tensor in model.named_parameters() if not bool(torch.isfinite(tensor).all())}
    _refuse("not finite", not_finite, folder)
    return model.eval().to(device)


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
