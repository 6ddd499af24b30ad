"""What a device is asked to do for one block of positions: kernels launched and waits for a number, by counting.

Run ``python -m benchmarks.launches [--shape 70m|160m|410m] [--draws 4]`` (minutes, some 4 GB). No device is needed: the
operations of a device's path are counted on the processor, those that move no data left out; a sort, a choice by mask
or a log-sum-exp counts as the several kernels that it takes. Placebos, sums and recorders are counted too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.influence_inputs import SHAPES, synthetic_inputs
from rare_neurons.models.influence.inputs import EngineSettings
from rare_neurons.models.influence.panel_pass import SlabPass
from rare_neurons.models.influence.plan import make_plan
from rare_neurons.models.influence.scratch import DEVICE
from rare_neurons.models.recorders.behaviour import BehaviourRows
from rare_neurons.models.recorders.gradients import ResidualGradients

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

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        if name in _WAITS:
            self.waits[name] += 1
        if name in ("index", "index_put_") and any(t is not None and t.dtype == torch.bool for t in args[1]):
            self.waits["nonzero"] += 1
            self.kernels["nonzero"] += KERNELS["nonzero"]
        if not func.is_view and name not in _NO_KERNEL:
            self.kernels[name] += KERNELS.get(name, 1)
        return func(*args, **(kwargs or {}))


def main() -> None:
    """Print kernels and waits of every block of a panel of 1,536 targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="70m")
    parser.add_argument("--draws", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    inputs = synthetic_inputs(SHAPES[arguments.shape], 1536, seed=11, median_abs_influence=1e-3)
    settings = EngineSettings(
        engine="certified", tolerance=1e-7, tolerance_se=0.1, memory_gb=16.0, placebo_draws=arguments.draws
    )
    plan = replace(make_plan(inputs, settings), chunks=DEVICE, product_dtype=torch.bfloat16)
    recorders = BehaviourRows(len(inputs.panel.context)), ResidualGradients(inputs.panel, inputs.readout)
    steps, done = SlabPass(inputs, slice(None), plan, settings).run(recorders), 0
    while True:
        with LaunchCounter() as counter:
            now = next(steps, None)
        if now is None:
            return
        print(f"{now - done} positions: {counter.kernels.total()} kernels, {counter.waits.total()} waits", flush=True)
        done = now


if __name__ == "__main__":
    main()
