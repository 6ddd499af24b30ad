"""Weights of a checkpoint folder, tensor by tensor, without torch (needed only for `.bin` files)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rare_neurons.checkpoints.bin_file import load_bin, to_numpy
from rare_neurons.checkpoints.files import JsonBounds, check_regular, read_json
from rare_neurons.checkpoints.layout import is_weight_file, needed_files, what_is_absent
from rare_neurons.checkpoints.safetensors_file import open_tensors, read_header
from rare_neurons.errors import DataFault, shown

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
_INDEX_BOUNDS = JsonBounds(bytes=2**24, values=200_000, depth=4)
_MAX_BYTES = 2**43
"""Of all weights together: twice the largest published models in float32."""


@dataclass(frozen=True)
class _Stored:
    """Where a tensor is, and its shape."""

    path: Path
    shape: tuple[int, ...]


def tensor_names(folder: Path, *, buffers: bool = False) -> tuple[str, ...]:
    """Sorted names of the tensors of a checkpoint; legacy buffers only on request.

    Raises
    ------
    DataFault
        If there are no weights, a shard is absent, or a file is truncated or unreadable.
    """
    return tuple(sorted(_locate(Path(folder), buffers)))


def tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor of a checkpoint, legacy buffers left out; nothing but headers is read. As `tensor_names`."""
    return {name: stored.shape for name, stored in sorted(_locate(Path(folder), buffers=False).items())}


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
    return next(array for _, array in _read_file(place[name].path, (name,)))


def iter_tensors(folder: Path, *, buffers: bool = False) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``(name, array)`` file by file, names sorted within a file; one tensor is in memory at a time.

    dtypes as in `read_tensor`; a `.bin` file is mapped, not loaded.

    Raises
    ------
    DataFault
        As `tensor_names`.
    """
    place = _locate(Path(folder), buffers)
    for path in sorted({stored.path for stored in place.values()}):
        yield from _read_file(path, sorted(name for name, stored in place.items() if stored.path == path))


def check_weights(folder: Path) -> None:
    """Raise `DataFault` unless the folder's weights are complete as far as headers and the index tell."""
    _locate(Path(folder), buffers=True)


def _locate(folder: Path, buffers: bool) -> dict[str, _Stored]:
    """Find the file that holds each tensor."""
    names = needed_files(path.name for path in folder.iterdir())
    weights = [name for name in names if is_weight_file(name)]
    if not weights:
        raise DataFault(f"{folder.name} holds no weights (model.safetensors, pytorch_model.bin or their shards)")
    if absent := what_is_absent(weights):
        raise DataFault(f"{folder.name} {absent}")
    total = sum(check_regular(folder / name).st_size for name in weights)
    if total > _MAX_BYTES:
        raise DataFault(f"weights of {folder.name} have {total} bytes, at most {_MAX_BYTES} are read")
    place: dict[str, _Stored] = {}
    for name in weights:
        path = folder / name
        for tensor, shape in _shapes_in(path).items():
            if tensor in place:
                raise DataFault(f"tensor '{tensor}' is in both {place[tensor].path.name} and {name} of {folder.name}")
            place[tensor] = _Stored(path, shape)
    _check_index(folder, names, place)
    return {tensor: stored for tensor, stored in place.items() if buffers or not tensor.endswith(_BUFFER_ENDINGS)}


def _check_index(folder: Path, names: tuple[str, ...], place: Mapping[str, _Stored]) -> None:
    for index in (name for name in names if name.endswith(".index.json")):
        record = read_json(folder / index, _INDEX_BOUNDS)
        promised = record.get("weight_map") if isinstance(record, dict) else None
        if not isinstance(promised, dict):
            raise DataFault(f"{index} of {folder.name} is no shard index (without weight_map)")
        if absent := sorted(set(promised) - set(place)):
            first = shown(absent[0])
            raise DataFault(f"{folder.name} lacks {len(absent)} tensors that {index} names, first {first}")


def _shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    if path.suffix == ".safetensors":
        return {name: place.shape for name, place in read_header(path).items()}
    return {name: tuple(tensor.shape) for name, tensor in load_bin(path).items()}


def _read_file(path: Path, names: tuple[str, ...] | list[str]) -> Iterator[tuple[str, np.ndarray]]:
    if path.suffix == ".safetensors":
        with open_tensors(path) as file:
            for name in names:
                yield name, file.read(name)
        return
    state, taken = load_bin(path), 0
    for name in names:
        if taken > _REMAP_BYTES:  # pages of a mapped file count as the process's memory once they were touched
            state, taken = load_bin(path), 0
        array = to_numpy(state[name])
        taken += array.nbytes
        yield name, array
