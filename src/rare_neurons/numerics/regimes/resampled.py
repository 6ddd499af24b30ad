"""The detection test of one stratum with intervals from resampled cells, and differences between two strata."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, Reason, Status
from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.pigeonhole import pigeonhole_weights, resampled_influence
from rare_neurons.numerics.regimes.detection import RegimeTest, regime_test
from rare_neurons.numerics.regimes.null_tables import NullTable
from rare_neurons.numerics.regimes.statistic import fit_levels, scaled_differences

QUANTITIES = ("plateau_end", "decay_start", "rank_exponent")
RANKS = frozenset({"plateau_end", "decay_start"})


@dataclass(frozen=True)
class SpacingRegimes:
    """The test of one stratum and sign, and ``resampled`` [resample, (plateau_end, decay_start, rank_exponent)].

    Row i of two results made with the same seed used the same draw of rows and columns; it is NaN where no levels rise.
    None where the test has no fit.
    """

    test: RegimeTest
    resampled: NDArray[np.float64] | None

    def interval(self, quantity: str, confidence: float) -> tuple[float, float] | tuple[None, None]:
        """Interval of a quantity around its estimate (`centred_interval`); None without a fit."""
        if self.resampled is None:
            return None, None
        drawn, value = self.resampled[:, QUANTITIES.index(quantity)], float(getattr(self.test, quantity))
        return centred_interval(value, drawn, confidence, is_rank=quantity in RANKS)


@dataclass(frozen=True)
class RegimeDifference:
    """A quantity of one stratum minus that of another, from one joint resample; None where either has no fit."""

    quantity: Annotated[
        str,
        Column(None, "the quantity whose difference it is: `plateau_end`, `decay_start` (ranks) or `rank_exponent`"),
    ]
    value: Annotated[
        float | None, Column("of the quantity", "the quantity of the first stratum minus that of the other")
    ]
    low: Annotated[float | None, Column("of the quantity", "lower end of its interval, from one joint resample")]
    high: Annotated[float | None, Column("of the quantity", "upper end")]
    status: Status
    reason: Reason


def measure_spacing_regimes(
    influence: ArrayLike,
    influence_se: ArrayLike,
    cells: CellSums,
    null_tables: Sequence[NullTable],
    *,
    n_resamples: int,
    seed: int,
) -> SpacingRegimes:
    """Test |influence| for regimes and resample its three-level fit by rows and columns of the grid.

    Parameters
    ----------
    influence, influence_se : array [neuron]
        Of the neurons of one sign, not zero; nats.
    cells : CellSums
        Of the same neurons; drawn with the weights of `pigeonhole_weights`.
    null_tables : sequence of NullTable
    n_resamples, seed : int

    Notes
    -----
    A resampled influence carries the evaluation noise twice, and that of single targets up to four times: its fits
    are blurred, so their spread is taken around the estimate and not as it lies.
    """
    x = np.asarray(influence, dtype=float)
    test = regime_test(np.abs(x), influence_se, null_tables, seed=seed)
    if test.rank_exponent is None:
        return SpacingRegimes(test, None)
    weights = pigeonhole_weights(n_resamples=n_resamples, seed=seed, n_folds=len(cells.counts))
    ranked = np.sort(np.abs(resampled_influence(weights, cells)), axis=1)[:, : -test.n_spacings - 2 : -1]
    # A neuron silent outside the folds that were not drawn is exactly zero; it only needs an order.
    levels = fit_levels(scaled_differences(np.log(np.maximum(ranked, np.finfo(float).tiny))))
    resampled = np.stack([levels.first + 1, levels.second + 1, levels.exponent], axis=1)
    resampled[np.isneginf(levels.statistic)] = np.nan
    return SpacingRegimes(test, resampled)


def of_sign(influence: NDArray, sign: str) -> NDArray[np.bool_]:
    """Mask of the neurons of a sign; zero influence belongs to none, as its logarithm is undefined."""
    return {"all": influence != 0, "boost": influence > 0, "suppress": influence < 0}[sign]


def regime_differences(one: SpacingRegimes, other: SpacingRegimes, *, confidence: float) -> list[RegimeDifference]:
    """Differences one - other (rare minus common) with intervals from the joint resample, not from two p-values.

    Both must come from `measure_spacing_regimes` with the same ``n_resamples`` and seed.
    """
    if one.resampled is None or other.resampled is None:
        reason = "; ".join(r.test.reason for r in (one, other) if r.resampled is None and r.test.reason)
        return [RegimeDifference(quantity, None, None, None, "no_fit", reason) for quantity in QUANTITIES]
    if one.resampled.shape != other.resampled.shape:
        raise ValueError(
            f"{len(one.resampled)} and {len(other.resampled)} resamples, but a joint resample draws folds once for both"
        )
    rows = []
    for quantity, column in zip(QUANTITIES, (one.resampled - other.resampled).T, strict=True):
        value = float(getattr(one.test, quantity) - getattr(other.test, quantity))
        low, high = centred_interval(value, column, confidence)
        rows.append(RegimeDifference(quantity, value, low, high, "ok", None))
    return rows


def centred_interval(
    value: float, drawn: ArrayLike, confidence: float, *, is_rank: bool = False
) -> tuple[float, float] | tuple[None, None]:
    """Spread of the resamples around the estimate: ``value + quantile − median``, of ranks in logarithms.

    Parameters
    ----------
    value : float
    drawn : array [resample]
        NaN where a resample has no fit.
    confidence : float
    is_rank : bool
        Ranks are compared by their ratios, and none is below 1.

    Returns
    -------
    tuple of float, or of None
        None when half of the resamples have no fit.

    Examples
    --------
    >>> low, high = centred_interval(10.0, [1.0, 2.0, 3.0], 1.0)
    >>> low, high
    (9.0, 11.0)
    """
    x = np.asarray(drawn, dtype=float)
    kept = x[np.isfinite(x)]
    if 2 * len(kept) < len(x):
        return None, None
    kept = np.log(kept) if is_rank else kept
    low, middle, high = np.quantile(kept, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    if is_rank:
        return max(value * float(np.exp(low - middle)), 1.0), value * float(np.exp(high - middle))
    return value + float(low - middle), value + float(high - middle)
