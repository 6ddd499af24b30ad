"""Where a model's weights go: one device, or accelerate's device map over devices, host memory and disk."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import dispatch_model
from accelerate.utils import offload_weight, save_offload_index, set_module_tensor_to_device
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of

_GB = 1e9
DeviceMap = dict[str, str | int | torch.device]


@dataclass(frozen=True)
class Placement:
    """Room for weights where one device is too small.

    Attributes
    ----------
    max_memory_gb : mapping
        10^9 bytes for weights on each device: number of an accelerator as a string, or ``"cpu"``; filled in this order.
    offload_folder : str or None
        Folder for what fits nowhere, read again block by block in every forward pass.
    """

    max_memory_gb: Mapping[str, float] = field(default_factory=dict)
    offload_folder: str | None = None


def fill_model(
    model: PreTrainedModel,
    tensors: Iterable[tuple[str, torch.Tensor]],
    *,
    device: str,
    dtype: torch.dtype,
    placement: Placement | None,
) -> None:
    """Give a model on the meta device its weights, one tensor at a time.

    Raises
    ------
    RequestError
        If the weights do not fit the placement.
    """
    if placement is None:
        for path, tensor in tensors:
            set_module_tensor_to_device(model, path, device, value=tensor, dtype=dtype)
        model.tie_weights()
        model.to(device)
        return
    device_map = _device_map(model, device, dtype, placement)
    folder = _folder_for(model, placement) if "disk" in device_map.values() else None
    index: dict[str, dict] = {}
    for path, tensor in tensors:
        where = _device_of(path, device_map)
        if where == "disk":
            index = offload_weight(tensor.to(dtype), path, folder, index=index)
        else:
            set_module_tensor_to_device(model, path, where, value=tensor, dtype=dtype)
    model.tie_weights()
    if folder is not None:
        save_offload_index(index, folder)
    dispatch_model(model, device_map, main_device=device, offload_dir=folder, force_hooks=True)


def _device_map(model: PreTrainedModel, device: str, dtype: torch.dtype, placement: Placement) -> DeviceMap:
    """Blocks in order to where there is room; the readout and the final block stay at hand on `device`."""
    family = family_of(model.config.to_dict())
    path = family.module(family.blocks)
    blocks = [f"{path}.{layer}" for layer in range(model.config.num_hidden_layers)]
    main = torch.device(device)
    key = "cpu" if main.type == "cpu" else main.index or 0
    room = {key: 0.0} | {int(k) if k.isdigit() else k: gb * _GB for k, gb in placement.max_memory_gb.items()}
    moving = tuple(f"{block}." for block in blocks[:-1])
    needed = sum(p.numel() for name, p in model.named_parameters() if not name.startswith(moving)) * dtype.itemsize
    if room[key] < needed:
        raise RequestError(
            f"placement: {device} has {room[key] / _GB:.2f} GB for weights, but embeddings, readout and final block "
            f"take {needed / _GB:.2f} GB; raise probe.placement.max_memory_gb"
        )
    room[key] -= needed
    found: DeviceMap = dict.fromkeys(_beside(model, path), main) | {blocks[-1]: main}
    for block in blocks[:-1]:
        size = sum(p.numel() for p in model.get_submodule(block).parameters()) * dtype.itemsize
        where = next((name for name, free in room.items() if free >= size), "disk")
        if where == "disk" and placement.offload_folder is None:
            raise RequestError(
                f"placement: {block} ({size / _GB:.2f} GB) does not fit max_memory_gb any more; raise it, or name "
                "probe.placement.offload_folder"
            )
        room[where] = room.get(where, 0.0) - size
        found[block] = main if where == key else where
    return found


def _beside(model: PreTrainedModel, blocks: str) -> list[str]:
    """Modules that together hold all that the blocks do not."""
    found, parents = [], ["", *(blocks.rsplit(".", n)[0] for n in range(blocks.count("."), 0, -1))]
    for parent in parents:
        for name, _ in model.get_submodule(parent).named_children():
            path = f"{parent}.{name}".lstrip(".")
            if path != blocks and path not in parents:
                found.append(path)
    return found


def _device_of(path: str, device_map: DeviceMap) -> str | int | torch.device:
    fits = [module for module in device_map if path == module or path.startswith(f"{module}.")]
    return device_map[max(fits, key=len)]


def _folder_for(model: PreTrainedModel, placement: Placement) -> Path:
    """Make a folder that goes with the model."""
    Path(placement.offload_folder).mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(dir=placement.offload_folder)
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
