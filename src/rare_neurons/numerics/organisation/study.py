"""Everything that is said of the organisation of one stratum's set in one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import joined_row
from rare_neurons.numerics.organisation.alignment import near_right_angles, square_cosine
from rare_neurons.numerics.organisation.coactivation import (
    QUANTITIES,
    CoActivation,
    Split,
    effective_dimension_95,
    participation_ratio,
)
from rare_neurons.numerics.organisation.communities import (
    community_concentration,
    cross_modularities,
    cross_modularity,
    in_sample_modularity,
    layer_communities,
)
from rare_neurons.numerics.organisation.comparison import Compared, compare_set, drawn_only
from rare_neurons.numerics.organisation.matching import MatchedSets
from rare_neurons.numerics.organisation.residuals import (
    N_BINS,
    confounder_design,
    correlations,
    standardised_residuals,
)
from rare_neurons.numerics.organisation.rows import OfQuantity, OrganisationRow

Array = NDArray[np.float64]
TAILS = ("upper", "upper", "upper", "lower")
"""Of `coactivation.QUANTITIES`: organised sets have fewer dimensions."""

MIN_ROWS = 60  # of a block: below, bins of the design would hold less than ten rows
ROWS_PER_BIN = 10
LABEL_DRAWS = 999
SEED_DRAWS = 99
CONVENTION_DRAWS = 19  # of what nothing follows from: the ends of a 90 % band, and most of their time is Louvain's
FEW_ROWS = "independent neurons give .49 to .56 at the published numbers of rows: it follows that number"
SAME_CLAIM = "`mean_square_correlation` in other units: g / (1 + (g − 1) r²)"


@dataclass(frozen=True, eq=False)
class StratumActivity:
    """Final-layer activations at rows of one stratum, in blocks that share neither documents nor types by `splits`.

    Attributes
    ----------
    blocks : sequence of array [row, neuron]
    designs : sequence of array [row, column]
        `confounder_design` of each block's rows.
    splits : sequence of (int, int)
        Pairs of blocks for cross-fitting.
    """

    blocks: Sequence[Array]
    designs: Sequence[Array]
    splits: Sequence[tuple[int, int]]

    def standardised(self, residualised: bool) -> list[Array]:
        """Return each block in unit variance, with or without what the design explains."""
        designs = self.designs if residualised else [None] * len(self.blocks)
        return [standardised_residuals(a, d) for a, d in zip(self.blocks, designs, strict=True)]

    @property
    def n_rows(self) -> int:
        """Rows of all blocks."""
        return sum(len(block) for block in self.blocks)


def block_design(log_p_target: Array, log_p_input: Array, position: NDArray[np.integer]) -> Array:
    """`confounder_design` with as many bins as the rows allow, at most twenty.

    Raises
    ------
    ValueError
        If there are fewer than sixty rows.
    """
    if len(position) < MIN_ROWS:
        raise ValueError(f"{len(position)} rows of activations in a block, {MIN_ROWS} needed; use more of the contexts")
    bins = min(N_BINS, len(position) // ROWS_PER_BIN // 2)
    return confounder_design(log_p_target, log_p_input, position, n_bins=bins)


@dataclass(frozen=True, eq=False)
class Reading:
    """Activations of one stratum, raw or residualised, ready for any set: made once, for sets of all signs.

    Attributes
    ----------
    activity : StratumActivity
    residualised : bool
    blocks : list of array [row, neuron]
    measure : CoActivation
    mean : array [neuron, neuron]
        Correlations over all blocks.
    labels : int array [neuron]
        Communities of the layer.
    """

    activity: StratumActivity
    residualised: bool
    blocks: list[Array]
    measure: CoActivation
    mean: Array
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, activity: StratumActivity, *, residualised: bool) -> Reading:
        """Standardise and correlate."""
        blocks = activity.standardised(residualised)
        parts = [correlations(z) for z in blocks]
        measure = CoActivation([Split(parts[a], parts[b]) for a, b in activity.splits])
        mean = np.mean(parts, axis=0)
        return cls(activity, residualised, blocks, measure, mean, layer_communities(mean))


def measure_coactivation(
    activity: StratumActivity,
    matched: MatchedSets,
    placebo: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    stratum: str,
    sign: str,
    community_draws: int = SEED_DRAWS,
) -> Iterator[OrganisationRow]:
    """Measure what the activations say of a set, raw and residualised: `measure_reading` of both."""
    about = {"rng": rng, "stratum": stratum, "sign": sign, "community_draws": community_draws}
    for residualised in (False, True):
        reading = Reading.of(activity, residualised=residualised)
        yield from measure_reading(reading, matched, placebo, **about)


def measure_reading(
    reading: Reading,
    matched: MatchedSets,
    placebo: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    stratum: str,
    sign: str,
    community_draws: int,
) -> Iterator[OrganisationRow]:
    """Measure what the activations say of a set: co-activation and communities.

    Parameters
    ----------
    reading : Reading
        Of rows that did not choose the set.
    matched : MatchedSets
    placebo : int array [g]
    rng : numpy.random.Generator
    stratum, sign : str
        Of sets of one sign only what decides is measured.
    community_draws : int
        Random sets in which communities are searched, which takes ten times as long as all else; 0 for none. Raw
        activations are not searched.

    Yields
    ------
    OrganisationRow
    """
    activity, residualised = reading.activity, reading.residualised
    about = {"stratum": stratum, "sign": sign, "residualised": residualised, "n_rows": activity.n_rows}
    # The last quantity takes as long as all others.
    whole = sign == "all" and residualised
    statistic, names = (reading.measure, QUANTITIES) if whole else (reading.measure.of_pairs, QUANTITIES[:-1])
    measured = compare_set(statistic, matched, placebo, rng=rng, tails=TAILS[: len(names)])
    found = dict(zip(names, measured, strict=True))
    found["participation_ratio"] = _same_claim(found["mean_square_correlation"])
    n_rows = [(len(reading.blocks[a]), len(reading.blocks[b])) for a, b in activity.splits]
    if residualised and community_draws:
        found |= _communities(reading.measure.splits, n_rows, matched, placebo, rng, community_draws)
    found["community_concentration"] = compare_set(
        lambda sets: community_concentration(reading.labels, sets)[:, None],
        matched,
        placebo,
        rng=rng,
        tails=("upper",),
    )[0]
    if not residualised:
        found |= _seed_conventions(np.concatenate(reading.blocks), reading.mean, matched)
    for quantity, compared in found.items():
        yield joined_row(OrganisationRow, OfQuantity(quantity=quantity, **about), compared)


def measure_alignment(
    rows: dict[str, Array],
    matched: MatchedSets,
    placebo: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    stratum: str,
    sign: str,
) -> Iterator[OrganisationRow]:
    """Measure what the output directions say of a set.

    Parameters
    ----------
    rows : dict
        Unit rows of W_out `[neuron, d_model]` by quantity: `square_cosine` (centred), `square_cosine_raw` and so on.
    matched, placebo, rng, stratum, sign
        As in `measure_coactivation`.

    Yields
    ------
    OrganisationRow
    """
    about = {"stratum": stratum, "sign": sign, "residualised": False, "n_rows": None}
    for quantity, unit in rows.items():
        (compared,) = compare_set(
            lambda sets, unit=unit: square_cosine(unit, sets)[:, None], matched, placebo, rng=rng, tails=("upper",)
        )
        yield joined_row(OrganisationRow, OfQuantity(quantity=quantity, **about), compared)
    sets = np.concatenate([matched.chosen[None], matched.sets[:CONVENTION_DRAWS]])
    angles = near_right_angles(next(iter(rows.values())), sets)
    drawn = drawn_only(matched, angles, "random directions have .91 of their pairs there in 96 dimensions")
    yield joined_row(OrganisationRow, OfQuantity(quantity="near_right_angles", **about), drawn)


def _communities(
    splits: Sequence[Split],
    n_rows: Sequence[tuple[int, int]],
    matched: MatchedSets,
    placebo: NDArray[np.int64],
    rng: np.random.Generator,
    n_draws: int,
) -> dict[str, Compared]:
    statistic = cross_modularities(splits, n_rows)
    (compared,) = compare_set(statistic, matched, placebo, rng=rng, tails=("upper",), n_draws=n_draws)
    # One split: labels of two splits are two partitions, and no permutation is of both.
    labels = cross_modularity(splits[0], matched.chosen, n_rows=n_rows[0], rng=rng, n_labels=LABEL_DRAWS)
    claim = None if compared.claim_p is None else max(compared.claim_p, labels.p_labels)
    size, n_labels = len(matched.chosen), LABEL_DRAWS
    of_labels = Compared(
        *(size, labels.value, None, None, None, labels.p_labels, None, None, None, None, n_labels),
        status="drawn_only",
        reason="permuted labels alone fire on any layer with more than one factor: `cross_modularity` needs them too",
    )
    return {"cross_modularity": replace(compared, claim_p=claim), "cross_modularity_labels": of_labels}


def _seed_conventions(rows: Array, correlation: Array, matched: MatchedSets) -> dict[str, Compared]:
    sets = np.concatenate([matched.chosen[None], matched.sets[:CONVENTION_DRAWS]])
    dimension = np.array([effective_dimension_95(rows, one) for one in sets])
    modularity = np.array([in_sample_modularity(correlation[np.ix_(one, one)]) for one in sets])
    noise = "independent neurons give .06 to .09 on the rows that found the communities"
    return {
        "effective_dimension_95": drawn_only(matched, dimension, FEW_ROWS),
        "in_sample_modularity": drawn_only(matched, modularity, noise),
    }


def _same_claim(square: Compared) -> Compared:
    def convert(value: float | None) -> float | None:
        return None if value is None else participation_ratio(value, square.n_set)

    return Compared(
        n_set=square.n_set,
        value=convert(square.value),
        null_low=convert(square.null_high),
        null_median=convert(square.null_median),
        null_high=convert(square.null_low),
        p_value=None,
        placebo_value=convert(square.placebo_value),
        placebo_p=None,
        claim_p=None,
        shared=square.shared,
        n_permutations=square.n_permutations,
        status="drawn_only",
        reason=SAME_CLAIM,
    )
