"""What one checkpoint says of one question: how far a set goes beyond its like, or a kind beyond the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

BAND_SD = float(ndtri(0.95) - ndtri(0.05))
"""Length of the band between 5 and 95 % of a normal law, in standard deviations."""

LEAST_P = 5e-4
"""Half of the smallest p of 999 sets: what a normal score is taken of lies this far inside 0 and 1."""

Row = Mapping[str, object]


@dataclass(frozen=True)
class Finding:
    """One question at one checkpoint of one run; without numbers where ``reason`` says why.

    Attributes
    ----------
    step : int
    beyond : float or None
        Effect: a set's value less the median of its matched sets, or a share less that at the start.
    placebo : float or None
        The set's value less the placebo's; None where there is no placebo.
    spread : float or None
        Standard deviation of `beyond` where nothing is there.
    p_rise, p_fall : float or None
        Of this checkpoint alone: never a claim.
    reason : str or None
    counts : tuple of int or None
        Of a kind: how many neurons were of it at the start, and how many there are.
    """

    step: int
    beyond: float | None = None
    placebo: float | None = None
    spread: float | None = None
    p_rise: float | None = None
    p_fall: float | None = None
    reason: str | None = None
    counts: tuple[int, int] | None = None


def of_organisation(step: int, row: Row) -> Finding:
    """Read a row of `organisation`; both its p-values count."""
    if row["claim_p"] is None:
        return Finding(step, reason=str(row["reason"]))
    beyond, spread = _beside(row, "value")
    return Finding(step, beyond, row["value"] - row["placebo_value"], spread, p_rise=row["claim_p"])


def of_interaction(step: int, row: Row) -> Finding:
    """Read a row of `sets`; its p is two-sided, and here that of either side."""
    if row["p_value"] is None or row["status"] != "ok":
        return Finding(step, reason=str(row["reason"]))
    beyond, spread = _beside(row, "interaction")
    placebo = row.get("placebo_interaction")
    placebo = None if placebo is None else row["interaction"] - placebo
    p_value = row["p_value"] if row.get("claim_p") is None else row["claim_p"]
    # The side that the value is not on has the rest; what counts is that both cannot be small.
    sides = (p_value / 2, 1 - p_value / 2)
    return Finding(step, beyond, placebo, spread, *(sides if beyond > 0 else sides[::-1]))


def of_routing(step: int, rows: Sequence[Row]) -> Finding:
    """Read the heads of one set and stratum: one p for the furthest of them, and its normal score."""
    tested = [row for row in rows if row["status"] == "ok"]
    if not tested:
        return Finding(step, reason=str(rows[0]["reason"]))
    p_value = float(tested[0]["p_max"])
    score = -float(ndtri(np.clip(p_value - LEAST_P, LEAST_P, 1 - LEAST_P)))
    return Finding(step, beyond=score, spread=1.0, p_rise=p_value)


def of_counts(step: int, count: int, start: int, n_neurons: int) -> Finding:
    """Compare how many neurons are of a kind with how many were at the start.

    Fisher's exact test takes a network's neurons for draws, which they are not: it says that more of them are of the
    kind than counts of this size differ by chance, and other runs must say the rest.
    """
    from scipy.stats import fisher_exact  # here: half a second of import, for every job that only words claims

    # None of n leaves 3/n possible: no neuron of a kind is no certainty that there could be none.
    pooled = max(count + start, 3) / (2 * n_neurons)
    spread = float(np.sqrt(2 * pooled * (1 - pooled) / n_neurons))
    table = [[count, n_neurons - count], [start, n_neurons - start]]
    p_value = float(fisher_exact(table, alternative="greater").pvalue)
    beyond = (count - start) / n_neurons
    return Finding(step, beyond=beyond, spread=spread, p_rise=p_value, counts=(start, n_neurons))


def _beside(row: Row, name: str) -> tuple[float, float]:
    spread = (row["null_high"] - row["null_low"]) / BAND_SD
    return row[name] - row["null_median"], spread
