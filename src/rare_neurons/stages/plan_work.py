"""How long a run will measure, by a simple model of its arithmetic."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from rare_neurons.checkpoints.layout import is_weight_file
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.numerics.panel.targets import MOST_FOUND
from rare_neurons.stages.panel import FOUND

_BYTES_PER_PARAMETER = 2  # ASSUME: public checkpoints are in half precision
# A target's influences cost as much as a forward pass over 2-5 tokens (benchmarks/README.md, certified engine).
_TOKENS_PER_TARGET = 3
_SIZE = 768


def estimate_work(
    manifests: Sequence[Manifest],
    models: Mapping[str, Mapping[str, object]],
    panels: Mapping[str, Mapping[str, object]],
    device: str,
) -> str:
    """Estimate what all probes take together: 2 FLOP per parameter and token, three tokens' worth per target.

    Spectra and metrics are small beside it, and fetching overlaps with it. On a processor the time is that of one
    core at the speed that a matrix product reaches here.
    """
    unknown = [name for name, panel in panels.items() if "max_contexts" not in panel]
    if unknown:
        return f"Time: not estimated, panel {unknown[0]} takes all its corpus (no max_contexts)."
    work = 0.0
    for manifest in manifests:
        if manifest.status != "ok":
            continue
        parameters = sum(f.size for f in manifest.files if is_weight_file(f.name)) / _BYTES_PER_PARAMETER
        tokens = sum(_tokens(p) for p in panels.values() if p["tokenizer"] == models[manifest.model]["tokenizer"])
        work += 2 * parameters * tokens
    basis = "2 FLOP per parameter and token, files taken as half precision"
    if not device.startswith("cpu"):
        return f"Work of the probes: {work / 1e15:.3g} PFLOP ({basis}); divide by the speed that {device} reaches."
    speed = _speed()
    return f"Time of the probes: about {_hours(work / speed)} on one core at {speed / 1e9:.0f} GFLOP/s ({basis})."


def _tokens(panel: Mapping[str, object]) -> int:
    asked = panel["targets_per_stratum"]
    targets = (MOST_FOUND if asked == FOUND else int(asked)) * len(panel["strata"])
    return int(panel["max_contexts"]) * int(panel["context_length"]) + _TOKENS_PER_TARGET * targets


def _speed() -> float:
    """FLOP/s of one core in float32: the best of a few products."""
    a = np.ones((_SIZE, _SIZE), dtype=np.float32)
    best = np.inf
    with threadpool_limits(1):
        for _ in range(4):
            start = time.perf_counter()
            a @ a
            best = min(best, time.perf_counter() - start)
    return 2 * _SIZE**3 / best


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{max(seconds, 1) / 60:.1f} minutes"
