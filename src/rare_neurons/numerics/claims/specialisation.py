"""Statistics that claims of rare-token specialisation rest on, each with its values over resampled contexts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.claims.evidence import Evidence
from rare_neurons.numerics.influence.resampled import indices_of
from rare_neurons.numerics.influence.shard import InfluenceShard
from rare_neurons.numerics.panel.folds import HALF_A, HALF_B, FoldSums
from rare_neurons.numerics.panel.resampling import resample_folds, resampled_influence
from rare_neurons.numerics.regimes.tables import measure_shard_regimes


@dataclass(frozen=True, eq=False)
class Statistic:
    """One number and what resampled contexts make of it.

    Parameters
    ----------
    value : float
    drawn : array [resample]
        Row i of two statistics made with the same seed used the same draw of folds.
    null_p : float
        One-sided, of a value this large.
    """

    value: float
    drawn: NDArray[np.float64]
    null_p: float


def within_beyond(shard: InfluenceShard, *, stratum: str, other: str, n_resamples: int, seed: int) -> Statistic:
    """Within-stratum influence of all neurons on one stratum, beyond that on another.

    With w_A and w_B the within-stratum influence [neuron] in the halves of the panel, ``c = mean(w_A w_B)`` estimates
    the mean square of the true one without the squared noise, and has expectation zero where no neuron has an effect.
    The statistic is ``c(stratum) - c(other)``, as the signed root of it: nats per token.

    Parameters
    ----------
    shard : InfluenceShard
        With `fold_sum` holding the within-stratum sums.
    stratum, other : str
    n_resamples, seed : int
        Joint resample of folds, within halves, and of neurons, the same for both strata.
    """
    one, two = shard.folds(stratum), shard.folds(other)
    draws = _everything(one), _resample(one, n_resamples=n_resamples, seed=seed)
    value, drawn = (_cross_square(one, draw) - _cross_square(two, draw) for draw in draws)
    return Statistic(float(_signed_root(value[0])), _signed_root(drawn), _share_as_large(value[0], drawn))


def inequality_beyond(shard: InfluenceShard, *, stratum: str, other: str, n_resamples: int, seed: int) -> Statistic:
    """Gini index over neurons of |influence| on one stratum minus that on another.

    A resampled influence carries evaluation noise twice, so only departures from the resamples' mean are used.
    Arguments as in `within_beyond`.
    """
    one, two = shard.folds(stratum), shard.folds(other)
    draws = _everything(one), _resample(one, n_resamples=n_resamples, seed=seed)
    value, drawn = (_gini(one, draw) - _gini(two, draw) for draw in draws)
    drawn = value[0] + drawn - drawn.mean()
    return Statistic(float(value[0]), drawn, _share_as_large(value[0], drawn))


def regime_gain(
    shard: InfluenceShard, *, stratum: str, sign: str, null_p: float | None, n_resamples: int, seed: int
) -> Statistic | None:
    """T of the regime test: gain in log-likelihood of three rising levels over a smooth curve.

    Zero, with a p of 1, where no levels rise or too few ranks stand above the noise floor: nothing is gained
    there. None where the values are tied or the test has no null table.

    Parameters
    ----------
    shard : InfluenceShard
    stratum : str
    sign : {"all", "boost", "suppress"}
    null_p : float or None
        Of the checkpoint's table of regimes, whose null tables this function does not read.
    n_resamples, seed : int
    """
    found = measure_shard_regimes(shard, stratum=stratum, sign=sign, n_resamples=n_resamples, seed=seed)
    if found.test.status in ("not_rising", "too_few"):
        return Statistic(0.0, np.zeros(n_resamples), 1.0)
    if null_p is None or found.resampled_statistic is None:
        return None
    value = max(found.test.statistic, 0.0)
    drawn = np.maximum(found.resampled_statistic, 0.0)
    return Statistic(value, np.maximum(value + drawn - drawn.mean(), 0.0), null_p)


def mean_over_runs(found: Sequence[Statistic | None]) -> Statistic | None:
    """Mean of the runs' statistics, draw by draw; None where a run has none.

    p is the largest of the runs': what is claimed of these runs has to hold in each.
    """
    if not found or any(one is None for one in found):
        return None
    return Statistic(
        float(np.mean([one.value for one in found])),
        np.mean([one.drawn for one in found], axis=0),
        max(one.null_p for one in found),
    )


def evidence_of(statistic: Statistic, confidence: float, seeds: int) -> Evidence:
    """Central interval of the resampled values, widened to hold the estimate."""
    low, high = np.quantile(statistic.drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Evidence(statistic.value, min(float(low), statistic.value), max(float(high), statistic.value), seeds)


@dataclass(frozen=True, eq=False)
class _Draw:
    """Weights of folds [resample fold] and neurons drawn with replacement [resample neuron]."""

    weights: NDArray[np.float64]
    neurons: NDArray[np.int64]


def _everything(folds: FoldSums) -> _Draw:
    n_folds, n_neurons = folds.sums.shape
    return _Draw(np.ones((1, n_folds)), np.arange(n_neurons)[None])


def _resample(folds: FoldSums, *, n_resamples: int, seed: int) -> _Draw:
    """Draw folds and neurons.

    What is claimed of a layer must not hang on the few neurons that training happened to make strong.
    """
    n_neurons = folds.sums.shape[1]
    neurons = np.random.default_rng([seed, 1]).integers(0, n_neurons, size=(n_resamples, n_neurons))
    return _Draw(resample_folds(folds.half, n_resamples=n_resamples, seed=seed), neurons)


def _cross_square(folds: FoldSums, draw: _Draw) -> NDArray[np.float64]:
    halves = []
    for half in (HALF_A, HALF_B):
        mine = folds.half == half
        halves.append(resampled_influence(draw.weights[:, mine], folds.sums[mine], folds.counts[mine]))
    return np.take_along_axis(halves[0] * halves[1], draw.neurons, axis=1).mean(axis=1)


def _gini(folds: FoldSums, draw: _Draw) -> NDArray[np.float64]:
    drawn = resampled_influence(draw.weights, folds.sums, folds.counts)
    return indices_of(np.take_along_axis(drawn, draw.neurons, axis=1), "gini")


def _share_as_large(value: float, drawn: NDArray[np.float64]) -> float:
    """P-value of a value this large if the truth were zero: the resamples' departures stand for the error."""
    departures = drawn - value
    return float((np.count_nonzero(departures >= value) + 1) / (len(departures) + 1))


def _signed_root(square: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(square) * np.sqrt(np.abs(square))
