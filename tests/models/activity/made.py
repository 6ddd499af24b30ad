"""A tiny checkpoint with enough text for blocks of activations, and what a probe would have found of it."""

from dataclasses import replace
from functools import cache

import numpy as np

from rare_neurons.models.activity.options import ActivityOptions, Probed
from rare_neurons.models.activity.scene import Scene, set_scene
from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel

PANEL = random_panel(n_contexts=240, per_stratum=400, length=20)
STRATA = ("rare", "common")
OPTIONS = ActivityOptions(
    strata=STRATA,
    signs=("all",),
    select="influence_a",
    share=0.2,
    context_share=1.0,
    rows=200,
    targets=30,
    n_permutations=99,
    community_draws=0,
    joint_draws=0,
    heads="last",
    candidates=2,
    example_neurons=2,
    examples=3,
    seed=0,
    batch_size=64,
)


@cache
def probed(name: str = "gpt_neox-parallel") -> Probed:
    """What the engine without tolerance says of a model."""
    found = probe_model(random_model(name), PANEL, EXACT)
    columns = [f"influence{within}_{part}" for within in ("", "_within") for part in "ab"]
    influence = {column: {s: getattr(found, column)[k] for k, s in enumerate(PANEL.strata)} for column in columns}
    return Probed(influence, found.activation_mean, found.activation_variance, found.residual_gradient)


@cache
def scene(name: str = "gpt_neox-parallel", **changes: object) -> Scene:
    """A model's pass."""
    return set_scene(random_model(name), PANEL, probed(name), replace(OPTIONS, **changes))


def probed_with(influence: np.ndarray) -> Probed:
    """As if every column of every stratum held these influences."""
    base = probed()
    return replace(base, influence={name: dict.fromkeys(PANEL.strata, influence) for name in base.influence})
