"""What an engine is given, and how it is to work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.forward import Captured
from rare_neurons.models.influence.tokens import Unigram
from rare_neurons.models.panel_arrays import PanelArrays, SortedVocabulary
from rare_neurons.models.readout import FinalBlock, Readout

Engine = Literal["certified", "exact"]


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How influence is measured; an unknown engine is refused.

    Attributes
    ----------
    engine : {"certified", "exact"}
        Moment products with a certified error, or every pair in float64.
    tolerance, tolerance_se : float
        A neuron's mean is certified to `max(tolerance, tolerance_se * influence_se)` nats.
    memory_gb : float or None
        Working memory beside the weights, 10^9 bytes; None: what the device has free when the pass is planned.
    placebo_draws, placebo_seed : int
        Permutations of the rows of `W_out` whose within-stratum effects are measured beside the network's; 0: none.
    """

    engine: Engine
    tolerance: float
    tolerance_se: float
    memory_gb: float | None
    placebo_draws: int = 0
    placebo_seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an unknown engine."""
        if self.engine not in get_args(Engine):
            raise RequestError(f"unknown engine {self.engine!r}; known: {', '.join(get_args(Engine))}")


@dataclass(frozen=True)
class PassInputs:
    """What a pass needs: a checked panel, the captured forward pass, and the network's last two maps.

    `weights` `[target]` float64 restore natural shares (`PanelArrays.natural_weights`).
    """

    panel: PanelArrays
    vocabulary: SortedVocabulary
    unigram: Unigram
    weights: torch.Tensor
    captured: Captured
    readout: Readout
    block: FinalBlock

    def takes_moments(self, settings: EngineSettings) -> bool:
        """Whether pairs are enclosed from moments: not of post-norm blocks, whose logit change has a third term."""
        return settings.engine == "certified" and self.block.post_norm is None
