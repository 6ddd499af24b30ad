"""Statistics with all their leave-one-out values, from the tables of sums over the grid."""

from collections.abc import Callable, Collection
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.numerics.evidence.history import Moments, on_grid
from rare_neurons.numerics.evidence.strata_pair import RunInfluence, StrataPair
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.leave_outs import LeaveOuts, stack
from rare_neurons.numerics.grid.moments import mean_leave_outs

Wanted = Collection[tuple[str, str]]
"""(stratum, column)."""

_PARTS = {
    "mean_influence": ("influence", Moments.mean),
    "mean_influence_within": ("within", Moments.mean),
    "rms_influence": ("influence", Moments.square),
    "rms_influence_within": ("within", Moments.square),
}

MOMENTS = tuple(_PARTS)


def behaviour_statistics(table: pa.Table, wanted: Wanted) -> dict[tuple[str, str], LeaveOuts]:
    """Mean over targets of quantities of the unablated model; a quantity that is null is left out."""
    found = {}
    for stratum in {stratum for stratum, _ in wanted}:
        mine = table.filter(pc.equal(table["stratum"], stratum))
        cells = mine["fold"].to_numpy(), mine["type_bin"].to_numpy()
        n = mine["n_targets"].to_numpy()
        for column in (c for s, c in wanted if s == stratum):
            if mine.num_rows and not mine[column].null_count:
                sums = on_grid(*cells, mine[column].to_numpy() * n, n_folds=N_FOLDS)
                found[stratum, column] = mean_leave_outs(sums, on_grid(*cells, n, n_folds=N_FOLDS))
    return found


def moment_statistics(table: pa.Table, wanted: Wanted) -> dict[tuple[str, str], LeaveOuts]:
    """Mean, or noise-free mean square, over neurons of the influence of the network itself."""
    found = {}
    for stratum in {stratum for stratum, _ in wanted}:
        drawn = _draws(table, stratum)
        for column in (c for s, c in wanted if s == stratum and 0 in drawn):
            part, statistic = _PARTS[column]
            found[stratum, column] = statistic(_moments(drawn[0], part))
    return found


def influence_pair(table: pa.Table, start: pa.Table, *, rare: str, common: str) -> RunInfluence:
    """Within-stratum moments of a network and of its placebo in two strata.

    Parameters
    ----------
    table, start : Table
        Moments at the declared checkpoint, whose squares are taken, and at the first, from which squares and means
        have changed: the noise that a network shares with its start is in neither change.
    rare, common : str
    """
    now, then = ([_draws(one, stratum) for stratum in (rare, common)] for one in (table, start))
    square, mean = (tuple(_pair(one, what) for one in (now, then)) for what in (Moments.square, Moments.mean))
    return RunInfluence(square[0], _change(*square), _change(*mean))


def _pair(drawn: list[dict[int, pa.Table]], statistic: Callable[[Moments], LeaveOuts]) -> StrataPair:
    own = [statistic(_moments(one[0], "within")) for one in drawn]
    placebo = [stack([statistic(_moments(one[k], "within")) for k in sorted(one) if k > 0]) for one in drawn]
    return StrataPair(*own, *placebo)


def _change(now: StrataPair, then: StrataPair) -> StrataPair:
    names = (field.name for field in fields(StrataPair))
    return StrataPair(*(getattr(now, name) - getattr(then, name) for name in names))


def _draws(table: pa.Table, stratum: str) -> dict[int, pa.Table]:
    mine = table.filter(pc.equal(table["stratum"], stratum))
    return {draw: mine.filter(pc.equal(mine["draw"], draw)) for draw in pc.unique(mine["draw"]).to_pylist()}


def _moments(table: pa.Table, part: str) -> Moments:
    names = ("n_targets", f"{part}_sum_mean", f"{part}_pairs")
    cells = table["fold"].to_numpy(), table["type_bin"].to_numpy()
    return Moments(*(on_grid(*cells, table[name].to_numpy().astype(np.float64), n_folds=N_FOLDS) for name in names))
