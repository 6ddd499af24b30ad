"""Over how many neurons the influence has changed since a reference checkpoint: how many have specialised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column, OfStratum, joined_row
from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.effective_number import EffectiveNumber
from rare_neurons.numerics.influence.inequality import EffectiveNumbers, effective_columns, effective_neurons
from rare_neurons.numerics.influence.shard import InfluenceShard


@dataclass(frozen=True)
class OfChange:
    """Between which checkpoints of a run."""

    first_step: Annotated[int, Column("optimizer updates", "first good step, from which the change is counted")]
    reference_step: Annotated[int, Column("optimizer updates", "last good step, at which it is measured")]
    n_neurons: Annotated[int, Column("neurons", "neurons of the layer")]


@dataclass(frozen=True)
class ChangedRow(EffectiveNumbers, OfChange, OfStratum):
    """Effective number of the change of one stratum's influence; the columns are those of a value, of a difference."""


def changed_neurons(now: CellSums, first: CellSums) -> EffectiveNumber:
    """Effective number of neurons whose influence has changed between two checkpoints on one panel.

    ``n (mean d²)² / mean d⁴`` with ``d = θ(now) − θ(first)`` of each neuron: its mean square and fourth power come from
    disjoint cells of the difference of both checkpoints' cell sums, free of noise as those of a value are. What the
    network had before, and the noise that both checkpoints share with the panel, cancel.

    Parameters
    ----------
    now, first : CellSums
        Of the same targets and neurons.

    Raises
    ------
    ValueError
        If the cells hold other numbers of targets, or the shapes disagree.

    Examples
    --------
    Four neurons had an effect before; the two that came to have another one are counted:

    >>> counts = np.ones((5, 5))
    >>> first = CellSums.of(np.ones((5, 5, 4)), counts=counts)
    >>> now = CellSums.of(np.ones((5, 5, 4)) + [0, 0, 2, -2], counts=counts)
    >>> round(changed_neurons(now, first).value, 9)
    2.0
    """
    if now.sums.shape != first.sums.shape or not np.array_equal(now.counts, first.counts):
        raise ValueError(
            f"cells of {int(now.counts.sum())} and {int(first.counts.sum())} targets, {now.n_neurons} and "
            f"{first.n_neurons} neurons; a change needs the same targets and neurons at both checkpoints"
        )
    return effective_neurons(CellSums(now.sums - first.sums, now.counts))


def change_rows(now: InfluenceShard, first: InfluenceShard, *, step: int, first_step: int) -> list[ChangedRow]:
    """Effective number of the change in every stratum, of the whole influence and of its part within the stratum.

    Parameters
    ----------
    now, first : InfluenceShard
        Of the same strata.
    step, first_step : int
    """
    rows = []
    for stratum in now.strata:
        whole = changed_neurons(now.cells(stratum), first.cells(stratum))
        within = changed_neurons(now.within_cells(stratum), first.within_cells(stratum))
        numbers = EffectiveNumbers(**effective_columns("", whole), **effective_columns("_within", within))
        about = OfChange(first_step, step, whole.n_neurons)
        rows.append(joined_row(ChangedRow, OfStratum(stratum), about, numbers))
    return rows
