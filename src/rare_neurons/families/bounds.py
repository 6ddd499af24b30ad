"""What a `config.json` may say before anything is built from it, and which shapes it gives the matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rare_neurons.errors import DataFault, shown
from rare_neurons.families.base import Family, MatrixSpec

_BOUNDS = {
    "n_layers_key": (1, 512),
    "n_heads_key": (1, 1024),
    "width_key": (1, 2**17),
    "n_neurons_key": (1, 2**20),
    "positions_key": (1, 2**24),
}
"""Least and most of each size: about four times those of the largest public models of these families."""
_SHARED = {"vocab_size": (1, 2**22), "num_key_value_heads": (1, 1024), "head_dim": (1, 2**12)}
_REQUIRED = ("n_layers_key", "n_heads_key", "width_key")
_ROTARY = ("rope_parameters", "rope_scaling")
_SHARES = ("partial_rotary_factor", "rotary_pct")
"""Shares of a head that are rotated: buffers are as long as they say."""
_MAX_ROTARY_LIST = 2**12


def check_config(family: Family, config: Mapping[str, Any]) -> None:
    """Check every size of a configuration that memory or time follow from.

    Raises
    ------
    DataFault
        Naming the key, its value and what is allowed.
    """
    for attribute, (least, most) in _BOUNDS.items():
        key = getattr(family, attribute)
        _check_size(family, config, key, least, most, required=attribute in _REQUIRED)
    for key, (least, most) in _SHARED.items():
        _check_size(family, config, key, least, most, required=key == "vocab_size")
    width, n_heads = config[family.width_key], config[family.n_heads_key]
    if config.get("head_dim") is None and width % n_heads:
        raise _fault(family, f"{family.width_key}={width} is no multiple of {family.n_heads_key}={n_heads}")
    kv_heads = config.get("num_key_value_heads") or n_heads
    if n_heads % kv_heads:
        raise _fault(family, f"{family.n_heads_key}={n_heads} is no multiple of num_key_value_heads={kv_heads}")
    _check_rotary(family, config)


def expected_shapes(family: Family, config: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Shape of every kind of matrix, in the project's orientation (`MatrixSpec`), by a checked configuration."""
    width, n_heads, vocab = config[family.width_key], config[family.n_heads_key], config["vocab_size"]
    head = config.get("head_dim") or width // n_heads
    queries, keys = n_heads * head, (config.get("num_key_value_heads") or n_heads) * head
    neurons = config.get(family.n_neurons_key) or 4 * width  # GPT-2 leaves it out
    return {
        "W_E": (vocab, width),
        "W_U": (width, vocab),
        "W_Q": (queries, width),
        "W_K": (keys, width),
        "W_V": (keys, width),
        "W_O": (width, queries),
        **dict.fromkeys(("W_in", "W_gate", "W_out"), (neurons, width)),
    }


def check_shapes(
    family: Family,
    config: Mapping[str, Any],
    specs: Iterable[MatrixSpec],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Check that stored tensors have the shapes that the configuration gives their matrices.

    Raises
    ------
    DataFault
        Naming how many do not, and the first.
    """
    expected, wrong = expected_shapes(family, config), {}
    for spec in specs:
        rows, cols = expected[spec.matrix]
        if spec.part is not None:
            rows *= 3
        stored = (cols, rows) if spec.transpose else (rows, cols)
        if tuple(shapes[spec.tensor]) != stored:
            wrong[spec.tensor] = stored
    if wrong:
        first = min(wrong)
        raise DataFault(
            f"{len(wrong)} tensors mismatched in a {family.model_type} checkpoint, first {first!r}: "
            f"{tuple(shapes[first])}, by its config.json {wrong[first]}"
        )


def _check_size(family: Family, config: Mapping[str, Any], key: str, least: int, most: int, *, required: bool) -> None:
    value = config.get(key)
    if value is None and not required:
        return
    if type(value) is not int or not least <= value <= most:
        raise _fault(family, f"{key}={shown(value)}, allowed are whole numbers from {least} to {most}")


def _check_rotary(family: Family, config: Mapping[str, Any]) -> None:
    """Rotary settings, whose other values transformers checks itself: flat, and no longer than a head."""
    settings = [(key, config.get(key)) for key in _SHARES]
    for name in _ROTARY:
        inner = config.get(name)
        if inner is not None and not isinstance(inner, Mapping):
            raise _fault(family, f"{name}={shown(inner)}, allowed is an object")
        settings += [(f"{name}.{key}", value) for key, value in (inner or {}).items()]
    for name, value in settings:
        if isinstance(value, list):
            numbers = len(value) <= _MAX_ROTARY_LIST and all(type(v) in (int, float) for v in value)
            if not numbers:
                raise _fault(family, f"{name}={shown(value)}, allowed are {_MAX_ROTARY_LIST} numbers at most")
        elif isinstance(value, Mapping):
            raise _fault(family, f"{name}={shown(value)}, allowed are numbers and names")
        elif name.split(".")[-1] in _SHARES and value is not None and not _is_share(value):
            raise _fault(family, f"{name}={shown(value)}, allowed are numbers above 0 and up to 1")


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 < value <= 1


def _fault(family: Family, what: str) -> DataFault:
    return DataFault(f"config.json of a {family.model_type} checkpoint: {what}")
