"""Checkpoints as public repositories keep them: half precision, legacy buffers, `.bin` files, shards."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Tensors of a checkpoint that the workflow trained."""
    return load_file(folder / "model.safetensors")


def copy_without_weights(source: Path, target: Path) -> Path:
    """Everything of a checkpoint but its weights."""
    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors", "*.bin")))


def save_weights(tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """One safetensors file."""
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def save_rounded(source: Path, target: Path) -> None:
    """A checkpoint in float32 whose values are those that float16 can hold."""
    weights = {name: tensor.half().float() for name, tensor in load_weights(source).items()}
    save_weights(weights, copy_without_weights(source, target))


def save_legacy(source: Path, target: Path, *, kind: str, n_shards: int = 1) -> None:
    """A GPT-NeoX checkpoint in float16 with the buffers that old versions saved, as ``"bin"`` or ``"safetensors"``."""
    folder = copy_without_weights(source, target)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(_old_config(config)))
    tensors = {name: tensor.half() for name, tensor in load_weights(source).items()}
    for layer in range(config["num_hidden_layers"]):
        tensors |= {f"gpt_neox.layers.{layer}.{name}": buffer for name, buffer in _buffers(config).items()}
    stem, suffix = ("pytorch_model", "bin") if kind == "bin" else ("model", "safetensors")
    save = torch.save if kind == "bin" else save_file
    if n_shards == 1:
        save(tensors, folder / f"{stem}.{suffix}")
        return
    names = sorted(tensors)
    place = {name: f"{stem}-{i % n_shards + 1:05d}-of-{n_shards:05d}.{suffix}" for i, name in enumerate(names)}
    for file in sorted(set(place.values())):
        save({name: tensors[name] for name in names if place[name] == file}, folder / file)
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": place}
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index))


def _old_config(config: dict) -> dict:
    """The configuration with the keys of its day."""
    rotary = config["rope_parameters"]
    kept = {key: value for key, value in config.items() if key not in ("rope_parameters", "dtype", "attention_bias")}
    old = {"rotary_pct": rotary["partial_rotary_factor"], "rotary_emb_base": int(rotary["rope_theta"])}
    return kept | old | {"torch_dtype": "float16", "transformers_version": "4.24.0"}


def _buffers(config: dict) -> dict[str, torch.Tensor]:
    """Causal mask, mask value (minus infinity in float16) and rotary frequencies of one layer."""
    length, head = config["max_position_embeddings"], config["hidden_size"] // config["num_attention_heads"]
    return {
        "attention.bias": torch.ones(length, length, dtype=torch.bool).tril().reshape(1, 1, length, length),
        "attention.masked_bias": torch.tensor(-1e9).half(),
        "attention.rotary_emb.inv_freq": (1.0 / 10000 ** (torch.arange(0, head // 4, 2) / (head // 4))).half(),
    }
