"""Rows about routing: what redirected heads do to the sets of one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rare_neurons.models.activity.heads import (
    final_activations,
    heads_to_first_position,
    last_acting_layer,
    n_heads,
)
from rare_neurons.models.activity.scene import Scene
from rare_neurons.models.activity.set_rows import ChosenSet
from rare_neurons.numerics.organisation.routing import HeadEffects, RoutingRow, measure_routing, relative_change

Array = NDArray[np.float64]
Name = tuple[int, int | None]


class Redirected:
    """Relative change of every neuron's activation on each stratum when a head, or a layer, is redirected.

    Parameters
    ----------
    scene : Scene
        Whose options say of which layers heads are redirected.
    """

    def __init__(self, scene: Scene) -> None:
        rows, strata = scene.rows, scene.options.strata
        self._scene = scene
        self._rows = {s: np.flatnonzero(rows.stratum == scene.panel.strata.index(s)) for s in strata}
        self.names = _names(scene)
        self._acting = last_acting_layer(scene.model)
        self.effects = self._measure() if self.names else {}

    def rows(self, one: ChosenSet) -> Iterator[RoutingRow]:
        """Yield the rows of a set, against every other stratum."""
        for other in self.effects:
            if other != one.stratum:
                n_targets = len(self._rows[one.stratum])
                effects = HeadEffects(self.names, self.effects[one.stratum], self.effects[other], n_targets)
                yield from measure_routing(effects, one.matched, stratum=one.stratum, against=other)

    def _measure(self) -> dict[str, Array]:
        before = {s: self._scene.activations(rows) for s, rows in self._rows.items()}
        found: dict[str, list[Array]] = {s: [] for s in self._rows}
        for layer, head in self.names:
            acts = self._acting is not None and layer <= self._acting
            after = self._after(layer, head) if acts else None
            for stratum, rows in self._rows.items():
                changed = before[stratum] if after is None else after[rows]
                found[stratum].append(relative_change(before[stratum], changed))
        return {s: np.stack(values) for s, values in found.items()}

    def _after(self, layer: int, head: int | None) -> Array:
        """Activations at all rows when a head, or all of its layer, is redirected."""
        model = self._scene.model
        heads = list(range(n_heads(model))) if head is None else [head]
        closed = self._scene.final_mlp
        if closed is not None and layer == closed.layer:
            return closed.activations(heads).double().numpy()
        with heads_to_first_position(model, layer, heads):
            found = final_activations(model, self._scene.places, batch_size=self._scene.options.batch_size)
        return found.double().numpy()


def _names(scene: Scene) -> Sequence[Name]:
    """Heads and whole layers, in their order."""
    if scene.options.heads == "none":
        return []
    acting = last_acting_layer(scene.model)
    first = 0 if scene.options.heads == "all" or acting is None else acting
    layers, heads = range(first, scene.last + 1), range(n_heads(scene.model))
    return [(layer, head) for layer in layers for head in (*heads, None)]
