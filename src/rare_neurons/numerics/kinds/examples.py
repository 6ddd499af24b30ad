"""The targets on which a neuron acts most, with the text around them: what a person looks at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.kinds.rows import ExampleRow

BEFORE, AFTER = 16, 4  # tokens around a target


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of one stratum: `token_ids` `[context, pos]`; `context`, `position` of their input token `[target]`."""

    token_ids: NDArray[np.int64]
    context: NDArray[np.int64]
    position: NDArray[np.int64]


def choose_examples(
    targets: Targets,
    effects: NDArray[np.float64],
    activations: NDArray[np.floating],
    *,
    neurons: Sequence[int],
    stratum: str,
    sign: str,
    n_examples: int,
) -> Iterator[ExampleRow]:
    """Yield the targets of largest |effect| of each neuron, at most one of a context.

    Parameters
    ----------
    targets : Targets
    effects, activations : array [target, one of the neurons]
        Change of the target's loss when the neuron is ablated, nats; its activation there.
    neurons : sequence of int
    stratum, sign : str
        What chose the neurons.
    n_examples : int
        For each neuron; fewer where there are fewer contexts.
    """
    for k, neuron in enumerate(neurons):
        order = np.argsort(-np.abs(effects[:, k]), kind="stable")
        first = np.sort(np.unique(targets.context[order], return_index=True)[1])[:n_examples]
        for rank, target in enumerate(order[first], start=1):
            ids = targets.token_ids[targets.context[target]]
            position = int(targets.position[target])
            yield ExampleRow(
                stratum=stratum,
                sign=sign,
                neuron=int(neuron),
                rank=rank,
                context=int(targets.context[target]),
                position=position,
                target_id=int(ids[position + 1]),
                effect=float(effects[target, k]),
                activation=float(activations[target, k]),
                before=ids[max(0, position + 1 - BEFORE) : position + 1].tolist(),
                after=ids[position + 2 : position + 2 + AFTER].tolist(),
            )
