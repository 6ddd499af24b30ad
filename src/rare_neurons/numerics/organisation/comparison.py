"""One number of a chosen set beside that of random sets as likely to be chosen, and of the placebo set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import Column, Reason
from rare_neurons.numerics.organisation.matching import MAX_SHARED, MatchedSets, exchanged_pairs

QUANTILES = (0.05, 0.5, 0.95)
Tail = Literal["upper", "lower", "two-sided"]
Sets = NDArray[np.int64]
Statistic = Callable[[Sets], NDArray[np.float64]]
"""Values `[set, quantity]` of sets `[set, g]`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A quantity of a set, beside its random sets and its placebo.

    Attributes
    ----------
    n_set : int
    value : float
    null_low, null_median, null_high : float or None
        5, 50 and 95 % of the random sets, at the set's covariates.
    p_value : float or None
    placebo_value, placebo_p : float or None
    claim_p : float or None
    shared : float or None
    n_permutations : int
    status, reason : str, str or None
    """

    n_set: Annotated[int, Column("neurons", "size of the set")]
    value: Annotated[float | None, Column(None, "the quantity, of the set; unit as in docs/methods/organisation.md")]
    null_low: Annotated[
        float | None, Column(None, "5 % of it over random sets as likely to be chosen, at its covariates")
    ]
    null_median: Annotated[float | None, Column(None, "50 % of the same")]
    null_high: Annotated[float | None, Column(None, "95 % of the same")]
    p_value: Annotated[float | None, Column(None, "share of random sets at least as far out, in the quantity's tail")]
    placebo_value: Annotated[
        float | None, Column(None, "the quantity of the placebo, the neurons of largest |w_out|·sd(activation)")
    ]
    placebo_p: Annotated[
        float | None,
        Column(None, "share of exchanges of neurons between set and placebo whose difference is as far out"),
    ]
    claim_p: Annotated[float | None, Column(None, "larger of both p, what decides; null unless `ok`")]
    shared: Annotated[float | None, Column(None, "mean share of the set in a random set; no claim beyond 0.75")]
    n_permutations: Annotated[int, Column("sets", "random sets, and exchanges")]
    status: Annotated[
        str,
        Column(None, "`ok`; `not_identifiable`: covariates choose the set; `drawn_only`: no evidence, by convention"),
    ]
    reason: Reason


def compare_set(
    statistic: Statistic,
    matched: MatchedSets,
    placebo: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    tails: Sequence[Tail],
    n_draws: int | None = None,
) -> list[Compared]:
    """Compare each quantity of a set with its random sets and its placebo.

    Parameters
    ----------
    statistic : callable
        Values `[set, quantity]` of sets `[set, g]`, from data that did not choose the set.
    matched : MatchedSets
    placebo : int array, shape (g,)
        `matching.placebo_set`.
    rng : numpy.random.Generator
        Exchanges neurons between set and placebo.
    tails : sequence of str
        For each quantity, the side on which a claim lies.
    n_draws : int, optional
        Use this many of the random sets, where a statistic is expensive.

    Returns
    -------
    list of Compared
        One for each quantity.

    Notes
    -----
    Random sets are adjusted to the set's covariates (`MatchedSets.adjusted`). A claim needs both: further out than
    neurons that were as likely to be chosen, and than those that write most whatever they write.
    """
    used = matched if n_draws is None else _first(matched, n_draws)
    values = statistic(np.concatenate([used.chosen[None], used.sets, placebo[None]]))
    one, other = exchanged_pairs(used.chosen, placebo, rng, n_pairs=len(used.sets))
    differences = statistic(one) - statistic(other)
    reason = used.reason or _too_like(used.chosen, placebo)
    return [_compared(used, values[:, k], differences[:, k], tail, reason) for k, tail in enumerate(tails)]


def drawn_only(matched: MatchedSets, values: NDArray[np.float64], why: str) -> Compared:
    """Put a convention beside its random sets, never as evidence; `values` `[1 + draw]`, the set's first."""
    low, median, high = (float(q) for q in np.quantile(values[1:], QUANTILES))
    size, draws = len(matched.chosen), len(values) - 1
    found = (size, float(values[0]), low, median, high, None, None, None, None, matched.shared, draws)
    return Compared(*found, "drawn_only", why)


def share_as_far(drawn: NDArray[np.float64], observed: float, tail: Tail) -> float:
    """Share of draws at least as far out as the observed value, which counts as one of them.

    Examples
    --------
    >>> share_as_far(np.array([1.0, 2.0, 3.0]), 2.5, "upper")
    0.5
    """
    # A random set that is the set itself differs from it by rounding, and counts.
    slack = 1e-9 * max(abs(observed), float(np.abs(drawn).max(initial=0.0)))
    upper = (np.count_nonzero(drawn >= observed - slack) + 1) / (len(drawn) + 1)
    lower = (np.count_nonzero(drawn <= observed + slack) + 1) / (len(drawn) + 1)
    return float({"upper": upper, "lower": lower, "two-sided": min(1.0, 2 * min(upper, lower))}[tail])


def _compared(
    matched: MatchedSets, values: NDArray[np.float64], differences: NDArray[np.float64], tail: Tail, reason: str | None
) -> Compared:
    adjusted = matched.adjusted(values[:-1])
    low, median, high = (float(q) for q in np.quantile(adjusted, QUANTILES))
    value, placebo = float(values[0]), float(values[-1])
    p_value = share_as_far(adjusted, value, tail)
    placebo_p = share_as_far(differences, value - placebo, tail)
    return Compared(
        n_set=len(matched.chosen),
        value=value,
        null_low=low,
        null_median=median,
        null_high=high,
        p_value=p_value,
        placebo_value=placebo,
        placebo_p=placebo_p,
        claim_p=None if reason else max(p_value, placebo_p),
        shared=matched.shared,
        n_permutations=len(adjusted),
        status="not_identifiable" if reason else "ok",
        reason=reason,
    )


def _first(matched: MatchedSets, n_draws: int) -> MatchedSets:
    return MatchedSets(matched.chosen, matched.sets[:n_draws], matched.balance[: n_draws + 1], matched.shared)


def _too_like(chosen: Sets, placebo: Sets) -> str | None:
    shared = float(np.isin(chosen, placebo).mean())
    if shared <= MAX_SHARED:
        return None
    return f"{shared:.2f} of the set are its placebo (limit {MAX_SHARED}): it cannot be told from the strongest neurons"
