"""Weights of a checkpoint folder, tensor by tensor, without torch (needed only for `.bin` files)."""

import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rare_neurons.checkpoints.layout import absent_shards, is_weight_file, needed_files
from rare_neurons.checkpoints.safetensors_file import open_tensors, read_header
from rare_neurons.errors import DataFault

if TYPE_CHECKING:
    import torch

# Buffers that old checkpoints carry beside their parameters: causal masks, the mask value (-inf in fp16), rotary
# frequencies. They are constants of the architecture, not weights.
_BUFFER_ENDINGS = (
    ".attention.bias",
    ".attention.masked_bias",
    ".attn.bias",
    ".attn.masked_bias",
    ".rotary_emb.inv_freq",
)
_REMAP_BYTES = 1 << 27


def tensor_names(folder: Path, *, buffers: bool = False) -> tuple[str, ...]:
    """Sorted names of the tensors of a checkpoint; legacy buffers only on request.

    Raises
    ------
    DataFault
        If there are no weights, a shard is absent, or a file is truncated or unreadable.
    """
    return tuple(sorted(_locate(Path(folder), buffers)))


def read_tensor(folder: Path, name: str) -> np.ndarray:
    """Read one tensor: float32 or float16 as stored, bfloat16 widened to float32.

    Raises
    ------
    DataFault
        If the checkpoint has no such tensor, or its file is truncated or unreadable.
    """
    place = _locate(Path(folder), buffers=True)
    if name not in place:
        raise DataFault(f"no tensor '{name}' among the {len(place)} of {Path(folder).name}")
    return next(array for _, array in _read_file(place[name], (name,)))


def iter_tensors(folder: Path, *, buffers: bool = False) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``(name, array)`` file by file, names sorted within a file; one tensor is in memory at a time.

    dtypes as in `read_tensor`; a `.bin` file is mapped, not loaded.

    Raises
    ------
    DataFault
        As `tensor_names`.
    """
    place = _locate(Path(folder), buffers)
    for path in sorted(set(place.values())):
        yield from _read_file(path, sorted(name for name, where in place.items() if where == path))


def check_weights(folder: Path) -> None:
    """Raise `DataFault` unless the folder's weights are complete as far as headers and the index tell."""
    _locate(Path(folder), buffers=True)


def _locate(folder: Path, buffers: bool) -> dict[str, Path]:
    """Map each tensor to the file that holds it."""
    names = needed_files(path.name for path in folder.iterdir())
    weights = [name for name in names if is_weight_file(name)]
    if not weights:
        raise DataFault(f"{folder.name} holds no weights (model.safetensors, pytorch_model.bin or their shards)")
    if absent := absent_shards(weights):
        raise DataFault(f"{folder.name} lacks {len(absent)} of its shards: {', '.join(absent)}")
    place: dict[str, Path] = {}
    for name in weights:
        path = folder / name
        for tensor in _names_in(path):
            if tensor in place:
                raise DataFault(f"tensor '{tensor}' is in both {place[tensor].name} and {name} of {folder.name}")
            place[tensor] = path
    _check_index(folder, names, place)
    return {tensor: path for tensor, path in place.items() if buffers or not tensor.endswith(_BUFFER_ENDINGS)}


def _check_index(folder: Path, names: tuple[str, ...], place: dict[str, Path]) -> None:
    for index in (name for name in names if name.endswith(".index.json")):
        try:
            promised = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataFault(f"{index} of {folder.name} is no shard index ({error})") from error
        if absent := sorted(set(promised) - set(place)):
            raise DataFault(f"{folder.name} lacks {len(absent)} tensors that {index} names, first '{absent[0]}'")


def _names_in(path: Path) -> list[str]:
    return list(read_header(path)) if path.suffix == ".safetensors" else list(_load_bin(path))


def _read_file(path: Path, names: tuple[str, ...] | list[str]) -> Iterator[tuple[str, np.ndarray]]:
    if path.suffix == ".safetensors":
        with open_tensors(path) as file:
            for name in names:
                yield name, file.read(name)
        return
    state, taken = _load_bin(path), 0
    for name in names:
        if taken > _REMAP_BYTES:  # pages of a mapped file count as the process's memory once they were touched
            state, taken = _load_bin(path), 0
        array = _to_numpy(state[name])
        taken += array.nbytes
        yield name, array


def _load_bin(path: Path) -> dict:
    """Map a `.bin` file; only plain tensors are accepted, never code."""
    import torch

    try:
        # Files from before torch 1.6 are no zip archives and cannot be mapped.
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        if "allocate memory" in str(error):
            raise  # the machine's fault
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        size = path.stat().st_size
        raise DataFault(f"{path.name}: {size} bytes, truncated or no torch weight file ({cause})") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataFault(f"{path.name} holds a {type(state).__name__}, not a mapping from names to tensors")
    return state


def _to_numpy(tensor: "torch.Tensor") -> np.ndarray:
    import torch

    # A copy: the file may be evicted while the array lives.
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy().copy()
