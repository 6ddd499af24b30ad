"""Rows of evidence put together by question: which tiers it was judged at, and which hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rare_neurons.numerics.evidence.history import SQUARES
from rare_neurons.numerics.evidence.rows import EvidenceRow
from rare_neurons.numerics.evidence.subject_study import majority
from rare_neurons.numerics.evidence.tiers import TIERS

HOLDS, FAILS, NOT_JUDGED = "●", "○", "–"
"""Marks of a tier: reached, judged and not reached, not asked or not to be judged."""
UNTESTED = ("no test was possible", "no checkpoint of its runs could be measured")
"""Reasons where no row has one: of a later tier, and of tier `run`."""


@dataclass(frozen=True)
class Standing:
    """One question of one subject.

    Attributes
    ----------
    question : str
    runs, controls : tuple of EvidenceRow
        Tier `run` of each.
    beyond : mapping of str to EvidenceRow
        Tiers after `run` that were asked.
    """

    question: str
    runs: tuple[EvidenceRow, ...]
    controls: tuple[EvidenceRow, ...]
    beyond: Mapping[str, EvidenceRow]

    @property
    def about(self) -> EvidenceRow:
        """Any row, for what all rows of the question have in common."""
        return next(iter((*self.runs, *self.controls, *self.beyond.values())))

    @property
    def found(self) -> tuple[str, ...]:
        """Runs in which a change is found."""
        return tuple(row.run for row in self.runs if row.holds)

    @property
    def needed(self) -> int:
        """Runs in which a change must be found: more than half."""
        return len(self.runs) // 2 + 1

    @property
    def reached(self) -> str | None:
        """Highest tier that holds with all before it."""
        reached = None
        for tier in (tier for tier in TIERS if tier == "run" or tier in self.beyond):
            if not self.holds(tier):
                break
            reached = tier
        return reached

    def holds(self, tier: str) -> bool:
        """Whether a tier is reached by itself; at tier `run`, by more than half of the runs."""
        if tier == "run":
            return len(self.found) >= self.needed
        return tier in self.beyond and self.beyond[tier].holds

    def p_value(self, tier: str) -> float | None:
        """Return the adjusted p-value; at tier `run` the one that more than half of the runs are at or below."""
        if tier == "run":
            return majority({row.run: row.p_adjusted for row in self.runs}) if self.runs else None
        return self.beyond[tier].p_adjusted if tier in self.beyond else None

    def unit(self, tier: str, unit: str) -> str:
        """Return the unit of a change: of `rms_*` the mean square changes; the last tier compares influence itself."""
        return f"({unit})²" if unit and self.about.column in SQUARES and tier != "specific" else unit

    def mark(self, tier: str) -> str:
        """One of `HOLDS`, `FAILS`, `NOT_JUDGED`; a tier whose predecessor fails does not hold."""
        if self.reached is not None and TIERS.index(tier) <= TIERS.index(self.reached) and self.holds(tier):
            return HOLDS
        return NOT_JUDGED if self.p_value(tier) is None else FAILS

    def why_not(self, tier: str) -> str:
        """Say why a tier is not reached or not judged; empty where it is reached."""
        mark = self.mark(tier)
        if mark == HOLDS:
            return ""
        if mark == NOT_JUDGED:
            untested = [row.reason for row in self.of_tier(tier) if row.p_adjusted is None and row.reason]
            return why_untested(untested[0]) if untested else UNTESTED[tier == "run"]
        before = [
            one for one in TIERS[: TIERS.index(tier)] if (one == "run" or one in self.beyond) and not self.holds(one)
        ]
        if before:
            return f"{before[0].replace('_', ' ')} is not reached"
        if tier == "run" and len(self.runs) > 1:
            return "more than half must show it"
        return "p is above the level"

    def of_tier(self, tier: str) -> tuple[EvidenceRow, ...]:
        """Return the rows of one tier, controls apart; none where it was not asked."""
        return self.runs if tier == "run" else (self.beyond[tier],) if tier in self.beyond else ()


def first_reason(reason: str) -> str:
    """Return the first of several reasons; further ones repeat the p-value."""
    return reason.split("; ")[0]


def why_untested(reason: str) -> str:
    """Return the last of several reasons, why there is no test; those before say which form it would have had."""
    return reason.split("; ")[-1]


def standings(rows: Sequence[EvidenceRow]) -> list[Standing]:
    """Group the rows of one subject and panel by question, in declared order."""
    grouped: dict[tuple[int, str], list[EvidenceRow]] = {}
    for row in rows:
        grouped.setdefault((row.declared, row.question), []).append(row)
    return [
        Standing(
            question,
            runs=tuple(row for row in mine if (row.tier, row.role) == ("run", "run")),
            controls=tuple(row for row in mine if (row.tier, row.role) == ("run", "control")),
            beyond={tier: row for tier in TIERS for row in mine if row.tier == tier and row.role == "all"},
        )
        for (_, question), mine in sorted(grouped.items())
    ]
