"""What is asked of a subject, declared before looking, and the rule by which it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from .comparison import Decision, Direction


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name : str
    table, column, stratum : str
        The statistic: a column that may be dated, of one stratum.
    direction : {"either", "rise", "fall"}
        Which change counts.
    primary : bool
        Whether it is one of the few that share most of the level.
    against : str or None
        Stratum beyond which the effect must go to be specific; None where that is not asked.
    """

    name: str
    table: str
    column: str
    stratum: str
    direction: Direction = "either"
    primary: bool = False
    against: str | None = None


@dataclass(frozen=True)
class Rule:
    """How every question is answered.

    Attributes
    ----------
    persistence : int
        Consecutive checkpoints that must hold a change.
    fraction : float
        Share of the largest held change at which its onset is dated.
    level : float
        False-positive rate of the family of questions of a tier.
    confidence : float
        Coverage of intervals.
    power : float
        Of the minimal effect.
    """

    persistence: int = 2
    fraction: float = 0.5
    level: float = 0.05
    confidence: float = 0.9
    power: float = 0.8

    def decision(self, direction: Direction) -> Decision:
        """Return the same for a single comparison."""
        return Decision(level=self.level, confidence=self.confidence, direction=direction, power=self.power)
