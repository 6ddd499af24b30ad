"""Which neurons make the top, since when, and for how long: sets over training, beside what chance would share."""

import itertools
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import hypergeom

from rare_neurons.columns import Column, Neuron, Quarantined, Step, Stratum
from rare_neurons.numerics.ranks import average_ranks


@dataclass(frozen=True, eq=False)
class Lineage:
    """Sets of top neurons over training.

    A neuron is a member with its sign: one that boosts at the end and suppressed before was not a member before.
    Entries of steps without values are NaN, and False in `used`.

    Parameters
    ----------
    steps : array [step]
    used : bool array [step]
        Steps whose influences are all finite.
    reference_step : int
        Step of the fixed set.
    neurons, signs : int array [k]
        The fixed set, largest |influence| first, and the signs of the influences there.
    overlap : array [step]
        Members shared with the fixed set, whatever the sign.
    same_sign_overlap : array [step]
    expected_overlap : float
        Mean of `overlap` for sets at random, k²/N.
    overlap_p : array [step]
        Hypergeometric probability of at least `overlap` for sets at random; not a test where steps share noise.
    jaccard, jaccard_previous : array [step]
        Jaccard index, with signs, with the fixed set and with the last used step before.
    expected_jaccard : float
        Mean Jaccard index, without signs, of two sets at random: an upper bound of chance for the signed one.
    rank_correlation, rank_correlation_abs : array [step]
        Spearman correlation of all neurons' influence, and |influence|, with the reference step.
    birth, settled : array [k]
        Step at which each neuron of the fixed set is first a member, and the one from which it stays until the
        reference step.
    persistence : array [k]
        Share of the used steps from birth to the reference step at which it is a member.
    """

    steps: np.ndarray
    used: np.ndarray
    reference_step: int
    neurons: np.ndarray
    signs: np.ndarray
    overlap: np.ndarray
    same_sign_overlap: np.ndarray
    expected_overlap: float
    overlap_p: np.ndarray
    jaccard: np.ndarray
    jaccard_previous: np.ndarray
    expected_jaccard: float
    rank_correlation: np.ndarray
    rank_correlation_abs: np.ndarray
    birth: np.ndarray
    settled: np.ndarray
    persistence: np.ndarray


@dataclass(frozen=True)
class LineageRow:
    """The top set of one step beside the fixed set of the last good step, and beside chance and noise."""

    stratum: Stratum
    step: Step
    reference_step: Annotated[int, Column("optimizer updates", "step of the fixed set: the last good one")]
    n_top: Annotated[int, Column("neurons", "size of the sets")]
    n_neurons: Annotated[int, Column("neurons", "neurons of the layer")]
    overlap: Annotated[int | None, Column("neurons", "shared with the fixed set, whatever the sign")]
    expected_overlap: Annotated[float, Column("neurons", "shared by sets at random, on average")]
    overlap_p: Annotated[float | None, Column(None, "hypergeometric; no test where steps share noise")]
    jaccard: Annotated[float | None, Column(None, "Jaccard index, with signs, with the fixed set")]
    jaccard_previous: Annotated[float | None, Column(None, "the same with the last good step before")]
    jaccard_halves: Annotated[
        float | None,
        Column(None, "of the sets chosen on two opposite quadrants: what noise leaves at a quarter of the targets"),
    ]
    expected_jaccard: Annotated[float, Column(None, "of two sets at random")]
    rank_correlation: Annotated[
        float | None, Column(None, "Spearman correlation of all neurons' influence with the reference step")
    ]
    rank_correlation_abs: Annotated[float | None, Column(None, "the same of |influence|")]
    quarantined: Quarantined


@dataclass(frozen=True)
class MemberRow:
    """One neuron of the fixed set: since when it is a member, and how steadily."""

    stratum: Stratum
    reference_step: Annotated[int, Column("optimizer updates", "step of the fixed set: the last good one")]
    neuron: Neuron
    sign: Annotated[int, Column(None, "1 boosts, -1 suppresses")]
    rank: Annotated[int, Column("rank", "by |influence| at the reference step")]
    birth: Annotated[int, Column("optimizer updates", "first step at which the neuron is a member, with its sign")]
    settled: Annotated[int, Column("optimizer updates", "step from which it stays one until the reference step")]
    persistence: Annotated[
        float, Column("share", "good steps from birth to the reference step at which it is a member")
    ]


def top_sets(influence: ArrayLike, k: int) -> NDArray[np.int64]:
    """Find the k neurons of largest |influence| at each step.

    Parameters
    ----------
    influence : array [step, neuron]
        Finite, nats per token.
    k : int
        1 to the number of neurons.

    Returns
    -------
    int array [step, k]
        Neurons, largest first; of equals the smaller index first.

    Raises
    ------
    ValueError
        If k is out of range or a value is not finite.

    Examples
    --------
    >>> top_sets([[0.1, -0.3, 0.2]], 2)
    array([[1, 2]])
    """
    influence = np.asarray(influence, dtype=float)
    n_neurons = influence.shape[-1]
    if not 1 <= k <= n_neurons:
        raise ValueError(f"top set of k={k} neurons, but there are {n_neurons}; choose 1 to {n_neurons}")
    if not np.isfinite(influence).all():
        row, neuron = np.argwhere(~np.isfinite(influence))[0]
        raise ValueError(f"influence of neuron {neuron} in row {row} is not finite; leave that step out")
    return np.argsort(-np.abs(influence), axis=-1, kind="stable")[:, :k]


def lineage(steps: ArrayLike, influence: ArrayLike, k: int, *, reference_step: int | None = None) -> Lineage:
    """Follow the top set of one step, and each step's own, through training.

    Parameters
    ----------
    steps : int array [step]
        Increasing.
    influence : array [step, neuron]
        Signed influence, nats per token. A step with any missing value is left out.
    k : int
        Size of the sets.
    reference_step : int | None
        Step of the fixed set; None takes the last usable one.

    Returns
    -------
    Lineage

    Raises
    ------
    ValueError
        If shapes disagree, no step is usable, or the reference step is not.

    Notes
    -----
    Sets are chosen on noisy values, so even an unchanging network has a Jaccard index below 1: `half_jaccard` says how
    far below on a quarter of the targets.
    """
    steps, influence, used = _check(steps, influence)
    reference = _reference(steps, used, reference_step)
    n_steps, n_neurons = influence.shape
    members = np.zeros((n_steps, n_neurons), dtype=int)
    tops = top_sets(influence[used], k)
    rows = np.flatnonzero(used)
    members[rows[:, None], tops] = np.where(influence[rows[:, None], tops] < 0, -1, 1)
    neurons = tops[np.searchsorted(rows, reference)]
    fixed = members[reference]
    shared = np.where(used, ((members != 0) & (fixed != 0)).sum(axis=1), np.nan)
    same = np.where(used, ((members == fixed) & (fixed != 0)).sum(axis=1), np.nan)
    chance = hypergeom(n_neurons, k, k)
    counts = np.arange(k + 1)
    birth, settled, persistence = _lives(members[:, neurons] == fixed[neurons], rows, reference, steps)
    return Lineage(
        steps=steps,
        used=used,
        reference_step=steps[reference].item(),
        neurons=neurons,
        signs=fixed[neurons],
        overlap=shared,
        same_sign_overlap=same,
        expected_overlap=k * k / n_neurons,
        overlap_p=np.where(used, chance.sf(np.nan_to_num(shared) - 1), np.nan),
        jaccard=same / (2 * k - same),
        jaccard_previous=_previous(members, rows, k),
        expected_jaccard=float(np.sum(chance.pmf(counts) * counts / (2 * k - counts))),
        rank_correlation=_spearman(influence, used, reference),
        rank_correlation_abs=_spearman(np.abs(influence), used, reference),
        birth=birth,
        settled=settled,
        persistence=persistence,
    )


def half_jaccard(influence_a: ArrayLike, influence_b: ArrayLike, k: int) -> NDArray[np.float64]:
    """Jaccard index, with signs, of the top sets from two opposite quadrants: what noise leaves of a perfect overlap.

    Each quadrant has about a quarter of the targets, a quarter of the cells and half of the documents and types, so its
    noise variance is two to four times that of the whole panel. Sets chosen on whole panels agree better: this is
    below the ceiling of the other indices, not above it.

    Parameters
    ----------
    influence_a, influence_b : array [step, neuron]
        Influence in quadrants that share neither documents nor token types.
    k : int

    Returns
    -------
    array [step]
    """
    influence_a, influence_b = np.asarray(influence_a, dtype=float), np.asarray(influence_b, dtype=float)
    same = np.empty(len(influence_a))
    for row, (top_a, top_b) in enumerate(zip(top_sets(influence_a, k), top_sets(influence_b, k), strict=True)):
        both = np.intersect1d(top_a, top_b)
        same[row] = np.sum(np.sign(influence_a[row, both]) == np.sign(influence_b[row, both]))
    return same / (2 * k - same)


def _check(steps: ArrayLike, influence: ArrayLike) -> tuple[NDArray, NDArray[np.float64], NDArray[np.bool_]]:
    steps, influence = np.asarray(steps), np.asarray(influence, dtype=float)
    if influence.ndim != 2 or len(influence) != len(steps):
        raise ValueError(f"lineage: influence {influence.shape} must be [step, neuron] with {len(steps)} steps")
    if np.any(np.diff(steps) <= 0):
        raise ValueError(f"lineage: steps must increase, got {steps.tolist()}")
    used = np.isfinite(influence).all(axis=1)
    if not used.any():
        raise ValueError(f"lineage: none of {len(steps)} steps has finite influences for all neurons")
    return steps, influence, used


def _reference(steps: NDArray, used: NDArray[np.bool_], reference_step: int | None) -> int:
    if reference_step is None:
        return int(np.flatnonzero(used)[-1])
    found = np.flatnonzero((steps == reference_step) & used)
    if not found.size:
        raise ValueError(f"lineage: reference step {reference_step} is not among {steps[used].tolist()}")
    return int(found[0])


def _previous(members: NDArray[np.int64], rows: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    jaccard = np.full(len(members), np.nan)
    for before, row in itertools.pairwise(rows):
        same = np.sum((members[row] == members[before]) & (members[row] != 0))
        jaccard[row] = same / (2 * k - same)
    return jaccard


def _lives(
    is_member: NDArray[np.bool_], rows: NDArray[np.int64], reference: int, steps: NDArray
) -> tuple[NDArray, NDArray, NDArray[np.float64]]:
    """Birth, settling and persistence of the fixed set's neurons; `is_member` [step, k], true at the reference."""
    lives = is_member[rows[rows <= reference]]
    born = lives.argmax(axis=0)
    # The last absence before the reference ends right before the neuron settles.
    settled = len(lives) - np.argmin(np.vstack([lives[::-1], np.zeros(lives.shape[1], dtype=bool)]), axis=0)
    persistence = lives.sum(axis=0) / (len(lives) - born)
    return steps[rows[born]], steps[rows[settled]], persistence


def _spearman(values: NDArray[np.float64], used: NDArray[np.bool_], reference: int) -> NDArray[np.float64]:
    ranks = average_ranks(values[used], axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    fixed = ranks[int(np.sum(used[:reference]))]
    norm = np.sqrt((ranks**2).sum(axis=1) * (fixed**2).sum())
    correlation = np.full(len(values), np.nan)
    correlation[used] = np.divide(ranks @ fixed, norm, out=np.full(len(ranks), np.nan), where=norm > 0)
    return correlation
