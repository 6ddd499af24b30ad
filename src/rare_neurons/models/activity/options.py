"""What is asked of an activity pass, and what the probe of the same checkpoint has found before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ActivityOptions:
    """What is measured, and how.

    Attributes
    ----------
    strata : tuple of str
        Whose influence chooses the sets.
    signs : tuple of str
        Among ``all``, ``boost`` and ``suppress``: which neurons may be in a set.
    select : str
        Influence that chooses them, of part A: ``influence_within_a`` or ``influence_a``.
    share : float
        Size of a set, as a share of the layer's neurons; at least two.
    context_share : float
        Of the panel's contexts, in every document fold.
    rows : int
        Rows of activations of a stratum and block, at most.
    targets : int
        Targets of a stratum on which sets are ablated, at most.
    n_permutations : int
        Matched sets, and exchanges with the placebo.
    community_draws : int
        Those of them in which communities are searched; 0: none are.
    joint_draws : int
        Those of them that are ablated together; 0, or at least 99.
    heads : str
        Redirected heads: of the ``last`` layer that acts, of ``all`` layers, or ``none``.
    candidates : int
        Entropy candidates that are evaluated over the whole vocabulary.
    example_neurons, examples : int
        Neurons of each set that have examples, and how many.
    seed : int
    batch_size : int
        Contexts at a time.
    """

    strata: tuple[str, ...]
    signs: tuple[str, ...]
    select: str
    share: float
    context_share: float
    rows: int
    targets: int
    n_permutations: int
    community_draws: int
    joint_draws: int
    heads: str
    candidates: int
    example_neurons: int
    examples: int
    seed: int
    batch_size: int


@dataclass(frozen=True, eq=False)
class Probed:
    """What the probe has found of the same checkpoint on the same panel.

    Attributes
    ----------
    influence : mapping of str to mapping of str to array [neuron]
        By column, then by stratum: ``influence_a`` and ``_b``, ``influence_within_a`` and ``_b``.
    activation_mean, activation_variance : array [neuron]
    gradients : array [stratum, d_model]
    """

    influence: Mapping[str, Mapping[str, Array]]
    activation_mean: Array
    activation_variance: Array
    gradients: Array

    def chosen(self, stratum: str, sign: str, options: ActivityOptions) -> NDArray[np.int64]:
        """Return the strongest neurons of a sign, the strongest first; fewer where fewer have it."""
        values = self.influence[options.select][stratum]
        strength = {"all": np.abs(values), "boost": values, "suppress": -values}[sign]
        size = max(2, round(options.share * len(values)))
        return np.argsort(-strength, kind="stable")[: min(size, int((strength > 0).sum()))]
