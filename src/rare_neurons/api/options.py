"""How a model in memory is measured unless something else is asked for: as `config/analysis.yaml` has it."""

from collections.abc import Mapping

from rare_neurons.errors import RequestError
from rare_neurons.selection import refuse

PROBE: dict[str, object] = {
    "engine": "certified",
    "tolerance": 1e-7,
    "tolerance_se": 0.1,
    "tf32": False,
    "batch_size": 32,
    "memory_gb": 0.5,
    "placebo_draws": 4,
    "placebo_seed": 0,
}
"""Section ``probe`` without what the model in memory has already decided: its dtype, device and placement."""
SPECTRA: dict[str, object] = {
    "engine": "exact",
    "min_tail": 2,
    "shuffles": 1,
    "farms_windows": 4,
    "refits": 100,
    "gof_refits": 0,
    "likelihood_ratios": True,
    "seed": 0,
}
"""Section ``spectra``."""
LAYERS: dict[str, object] = {
    "strata": None,
    "contexts": 96,
    "n_top": 12,
    "n_random": 19,
    "epsilon": 0.01,
    "sign_draws": 2,
    "target_draws": 4,
    "confidence": 0.9,
    "seed": 0,
    "batch_size": "auto",
}
"""Section ``layers`` without its steps, with the contexts of a pass; by default the panel's first and last stratum."""
DRAW: dict[str, object] = {
    "min_position": 16,
    "targets_per_stratum": None,
    "max_targets_per_type": 400,
    "max_targets_per_document": 60,
    "token_role": "target",
    "seed": 0,
}
"""How targets are drawn (section ``panels``); as many of each stratum as the smallest has, 8,000 at most."""
STRATA: dict[str, dict[str, object]] = {
    "common": {"mass": [0.0, 0.5]},
    "mid": {"mass": [0.5, 0.9]},
    "rare": {"mass": [0.9, 1.0]},
}
"""The default strata."""
N_PROJECTIONS = 64
"""Length of a fingerprint's projections (``integrity.n_projections``)."""


def completed(what: str, defaults: Mapping[str, object], asked: Mapping[str, object] | None) -> dict[str, object]:
    """Put what is asked for on top of the defaults; a name that is not among them is refused with those that are."""
    asked = asked or {}
    if not isinstance(asked, Mapping):
        raise RequestError(f"{what}: {asked!r} is no mapping of names to values")
    unknown = [name for name in asked if name not in defaults]
    if unknown:
        refuse("option", unknown, defaults, what)
    return {**defaults, **asked}
