"""What a device is asked to do for one block of positions: kernels launched and waits for a number, by counting.

Run ``python -m benchmarks.launches [--shape 70m|160m|410m|embedded] [--targets N]``. No device is needed: the
operations of the same path are counted on the processor, those that move no data left out; a sort, a choice by mask or a
log-sum-exp counts as the several kernels that it takes.
"""

from __future__ import annotations

import argparse
from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode

KERNELS = {"sort": 4, "nonzero": 4, "logsumexp": 5, "cumsum": 2, "index": 2, "index_put_": 2, "linalg_vector_norm": 2}
"""Kernels of one operation, where there are several: as torch's CUDA sources launch them; a mask adds its `nonzero`."""

_NO_KERNEL = {"empty", "empty_strided", "empty_like", "detach", "_local_scalar_dense", "lift_fresh", "set_", "resize_"}
_WAITS = {"_local_scalar_dense", "nonzero"}


class LaunchCounter(TorchDispatchMode):
    """Counts operations while it is active: `kernels` and `waits` by name."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN001, ANN204, D105
        name = func._schema.name.removeprefix("aten::")
        if name in _WAITS:
            self.waits[name] += 1
        if name in ("index", "index_put_") and any(t is not None and t.dtype == torch.bool for t in args[1]):
            self.waits["nonzero"] += 1
            self.kernels["nonzero"] += KERNELS["nonzero"]
        if not func.is_view and name not in _NO_KERNEL:
            self.kernels[name] += KERNELS.get(name, 1)
        return func(*args, **(kwargs or {}))
