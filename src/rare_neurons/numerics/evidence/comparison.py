"""A t statistic whose variance is a sum of independently estimated parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from .minimal_effect import average_effect

Direction = Literal["either", "rise", "fall"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Estimate over runs with interval and p-value; the numbers are ``None`` unless ``status`` is ``"tested"``.

    Attributes
    ----------
    estimate, low, high, standard_error : float or None
        In units of the change compared (natural logarithms on a log scale).
    degrees_of_freedom : float or None
    p_value : float or None
        In the direction asked; not adjusted for other questions.
    minimal_effect : float or None
        Effect that such noise lets be found in 80 % of cases (`minimal_effect.average_effect`).
    n_runs, n_controls : int
    status : str
        ``tested``, ``too_few_runs``, ``too_few_controls``, ``one_control`` (numbers given for the words "unlike the
        one control, if controls scatter like runs"; never evidence of the tier) or ``undefined`` (no variance).
    reason : str
        Empty when ``tested``.
    """

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    p_value: float | None
    minimal_effect: float | None
    n_runs: int
    n_controls: int
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """How a tier decides.

    Attributes
    ----------
    level : float
        False-positive rate at which the minimal effect is stated.
    confidence : float
        Coverage of the interval.
    direction : {"either", "rise", "fall"}
        Declared before looking; ``either`` doubles the one-sided p-value.
    power : float
        Of the minimal effect.
    """

    level: float = 0.05
    confidence: float = 0.9
    direction: Direction = "either"
    power: float = 0.8

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.direction not in ("either", "rise", "fall"):
            raise ValueError(f"direction={self.direction!r}; known: either, rise, fall")
        if not all(0 < x < 1 for x in (self.level, self.confidence, self.power)):
            raise ValueError(f"level, confidence and power must lie in (0, 1): {self}")


def no_comparison(*, n_runs: int, n_controls: int, status: str, reason: str) -> Comparison:
    """Comparison without numbers that says why."""
    return Comparison(None, None, None, None, None, None, None, n_runs, n_controls, status, reason)


def compare(
    estimate: float,
    parts: Sequence[tuple[float, float]],
    *,
    decision: Decision,
    n_runs: int,
    n_controls: int = 0,
) -> Comparison:
    """Test an estimate against zero with a variance ``V = Σ v``.

    Degrees of freedom ``V² / Σ (v² / ν)`` (Satterthwaite 1946).

    Parameters
    ----------
    estimate : float
    parts : sequence of (variance, degrees of freedom)
    decision : Decision
    n_runs, n_controls : int

    Returns
    -------
    Comparison
    """
    variance = float(sum(v for v, _ in parts))
    if not variance > 0 or not np.isfinite(variance + estimate):
        reason = f"variance {variance:.3g} of estimate {estimate:.3g} allows no test"
        return no_comparison(n_runs=n_runs, n_controls=n_controls, status="undefined", reason=reason)
    freedom = variance**2 / sum(v**2 / nu for v, nu in parts if v > 0)
    error = float(np.sqrt(variance))
    half = float(stdtrit(freedom, (1 + decision.confidence) / 2)) * error
    smallest = average_effect(error, freedom, level=one_sided_level(decision), power=decision.power)
    p_value = directed_p(estimate / error, freedom, decision.direction)
    interval = estimate - half, estimate + half
    return Comparison(estimate, *interval, error, freedom, p_value, smallest, n_runs, n_controls, "tested", "")


def directed_p(t: float, freedom: float, direction: Direction) -> float:
    """p-value of a t statistic for a rise, a fall, or either (doubled)."""
    if direction == "either":
        return float(2 * stdtr(freedom, -abs(t)))
    return float(stdtr(freedom, -t if direction == "rise" else t))


def one_sided_level(decision: Decision) -> float:
    """Level of each side."""
    return decision.level / 2 if decision.direction == "either" else decision.level
