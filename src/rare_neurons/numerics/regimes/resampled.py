"""The detection test of one stratum with intervals from resampled folds, and differences between two strata."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, Reason, Status
from rare_neurons.numerics.panel.folds import FoldSums
from rare_neurons.numerics.panel.resampling import resample_folds, resampled_influence
from rare_neurons.numerics.regimes.detection import RegimeTest, regime_test
from rare_neurons.numerics.regimes.null_tables import NullTable
from rare_neurons.numerics.regimes.statistic import fit_levels, scaled_differences

QUANTITIES = ("plateau_end", "decay_start", "rank_exponent")


@dataclass(frozen=True)
class SpacingRegimes:
    """The test of one stratum and sign, and ``resampled`` [resample, (plateau_end, decay_start, rank_exponent)].

    Row i of two results made with the same seed and folds used the same draw of folds; it is NaN where no levels rise.
    ``resampled_statistic`` [resample] is T there, minus infinity where none rise. Both are None where the test has no
    fit.
    """

    test: RegimeTest
    resampled: NDArray[np.float64] | None
    resampled_statistic: NDArray[np.float64] | None = None

    def interval(self, quantity: str, confidence: float) -> tuple[float, float] | tuple[None, None]:
        """Quantiles of the resampled quantity that hold ``confidence`` between them; None without a fit."""
        if self.resampled is None:
            return None, None
        return _quantiles(self.resampled[:, QUANTITIES.index(quantity)], confidence)


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
    folds: FoldSums,
    null_tables: Sequence[NullTable],
    *,
    n_resamples: int,
    seed: int,
) -> SpacingRegimes:
    """Test |influence| for regimes and resample its three-level fit by folds.

    Parameters
    ----------
    influence, influence_se : array [neuron]
        Of the neurons of one sign, not zero; nats.
    folds : FoldSums
        Of the same neurons; folds are drawn within halves, with the weights of `resample_folds`.
    null_tables : sequence of NullTable
    n_resamples, seed : int

    Notes
    -----
    A resampled influence carries the evaluation noise twice, so intervals are widest where noise blurs the ranks.
    """
    x = np.asarray(influence, dtype=float)
    test = regime_test(np.abs(x), influence_se, null_tables, seed=seed)
    if test.rank_exponent is None:
        return SpacingRegimes(test, None)
    weights = resample_folds(folds.half, n_resamples=n_resamples, seed=seed)
    drawn = resampled_influence(weights, folds.sums, folds.counts)
    ranked = np.sort(np.abs(drawn), axis=1)[:, : -test.n_spacings - 2 : -1]
    # A neuron silent outside the folds that were not drawn is exactly zero; it only needs an order.
    levels = fit_levels(scaled_differences(np.log(np.maximum(ranked, np.finfo(float).tiny))))
    resampled = np.stack([levels.first + 1, levels.second + 1, levels.exponent], axis=1)
    resampled[np.isneginf(levels.statistic)] = np.nan
    return SpacingRegimes(test, resampled, levels.statistic)


def of_sign(influence: NDArray, sign: str) -> NDArray[np.bool_]:
    """Mask of the neurons of a sign; zero influence belongs to none, as its logarithm is undefined."""
    return {"all": influence != 0, "boost": influence > 0, "suppress": influence < 0}[sign]


def regime_differences(one: SpacingRegimes, other: SpacingRegimes, *, confidence: float) -> list[RegimeDifference]:
    """Differences one - other (rare minus common) with intervals from the joint resample, not from two p-values.

    Both must come from `measure_spacing_regimes` with the same folds, ``n_resamples`` and seed.
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
        low, high = _quantiles(column, confidence)
        value = float(getattr(one.test, quantity) - getattr(other.test, quantity))
        rows.append(RegimeDifference(quantity, value, low, high, "ok", None))
    return rows


def _quantiles(column: NDArray, confidence: float) -> tuple[float, float] | tuple[None, None]:
    """Central quantiles of the resamples that have a fit; None when half of them have none."""
    drawn = column[np.isfinite(column)]
    if 2 * len(drawn) < len(column):
        return None, None
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
