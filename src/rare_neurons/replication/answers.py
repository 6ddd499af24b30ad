"""One question's rows of the evidence as one answer."""

from dataclasses import dataclass

import pandas as pd

from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.replication.layout import number

NOT_REACHED = "none"


@dataclass(frozen=True)
class Answer:
    """What is said of a subject about one question.

    Attributes
    ----------
    question, table, column : str
        Its name, and the statistic.
    tier : str or None
        Highest tier reached with all before it.
    n_runs, n_controls : tuple of int
        In how many runs, and controls, the statistic changed (tier ``run``), and how many were asked.
    p_values : dict of str to float or None
        Adjusted, by tier after ``run``; a tier that was not asked is left out.
    seeds : Series or None
        Row of tier ``seeds``: the change at the declared step over all runs.
    reason : str
        Why it goes no further; empty after the last tier asked.
    """

    question: str
    table: str
    column: str
    tier: str | None
    n_runs: tuple[int, int]
    n_controls: tuple[int, int]
    p_values: dict[str, float | None]
    seeds: pd.Series | None
    reason: str

    def __str__(self) -> str:
        """Tier reached, with the p of the highest that runs were compared at."""
        compared = [tier for tier in TIERS[1:] if tier in self.p_values]
        if self.tier in compared:
            return f"{worded(self.tier)}, p = {number(self.p_values[self.tier], 3)}"
        nearest = [f"; {worded(tier)}: p = {number(self.p_values[tier], 3)}" for tier in compared[:1]]
        return "".join([worded(self.tier), *nearest])


def worded(tier: str | None) -> str:
    """Write a tier without underscores."""
    return NOT_REACHED if tier is None else tier.replace("_", " ")


def read_answer(rows: pd.DataFrame) -> Answer:
    """Take the rows of one question of one panel together.

    Parameters
    ----------
    rows : DataFrame
        Of ``timelines/evidence``.
    """
    first = rows.iloc[0]
    tier = None if pd.isna(first.reached) else str(first.reached)
    whole = rows[rows.role == "all"].set_index("tier")
    p_values = {t: None if pd.isna(whole.p_adjusted[t]) else float(whole.p_adjusted[t]) for t in whole.index}
    return Answer(
        str(first.question),
        str(first.table),
        str(first.column),
        tier,
        _held(rows[rows.role == "run"]),
        _held(rows[rows.role == "control"]),
        p_values,
        whole.loc["seeds"] if "seeds" in whole.index else None,
        _why_no_further(tier, whole),
    )


def _held(rows: pd.DataFrame) -> tuple[int, int]:
    return int(rows.holds.sum()), len(rows)


def _why_no_further(tier: str | None, whole: pd.DataFrame) -> str:
    if tier is None:
        return "run: not in most of the runs"
    following = [t for t in TIERS[TIERS.index(tier) + 1 :] if t in whole.index][:1]
    if not following:
        return ""
    row = whole.loc[following[0]]
    if not pd.isna(row.reason):
        return str(row.reason)
    return f"{worded(following[0])}: p = {number(row.p_adjusted, 3)}"
