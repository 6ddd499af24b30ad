"""The rule of an onset, declared before looking, and what it found."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Declared, Status, Stratum

_DIRECTIONS = ("rise", "fall", "either")
_GRIDS = ("doublings", "all")


@dataclass(frozen=True)
class OnsetRule:
    """When a quantity counts as having set in; declared in the configuration before looking.

    In words. The *change* is the largest departure from the mean of the first `baseline` checkpoints, in the declared
    direction, that `persistence` consecutive checkpoints hold. It is *detected* if noise draws one as coherent
    (relative to its increments: `measure_coherence`) in at most `level` of cases under the least favourable of white
    noise, AR(1) and a random walk with the series' own increments, and, where resamples are given, evaluation noise
    draws one as large equally rarely; the checkpoints of the test against the former are those of `grid`. It is
    *dated*, with all checkpoints, between the last one before and the first one from which, `persistence` times in a
    row, the value lies beyond baseline + `fraction` x change, or beyond `threshold` where one is given.

    Parameters
    ----------
    baseline : int
        Leading checkpoints that make the baseline; 1 is step 0 alone.
    persistence : int
        Consecutive checkpoints that must hold the change; at least 1.
    direction : {"rise", "fall", "either"}
        "either" pays for its freedom with twice the p-value.
    fraction : float
        Share of the change at which the onset is dated, in (0, 1].
    threshold : float | None
        Absolute level, in the units of the quantity, instead of the share.
    grid : {"doublings", "all"}
        Checkpoints that the test reads. Each adds its evaluation noise to a walk, so a schedule that is dense late in
        training is read at doublings of the step, as a log-spaced one is anyway; "all" suits evenly spaced schedules.
    level : float
        Largest false-positive rate, in (0, 1).
    confidence : float
        Of the interval of the onset, in (0, 1).

    Raises
    ------
    ValueError
        If a value is outside its domain.
    """

    baseline: int = 1
    persistence: int = 2
    direction: str = "rise"
    fraction: float = 0.5
    threshold: float | None = None
    grid: str = "doublings"
    level: float = 0.05
    confidence: float = 0.9

    def __post_init__(self) -> None:
        """Refuse values outside their domain."""
        if self.baseline < 1 or self.persistence < 1:
            raise ValueError(
                f"onset rule: baseline={self.baseline} and persistence={self.persistence} must be at least 1 checkpoint"
            )
        for name, known in (("direction", _DIRECTIONS), ("grid", _GRIDS)):
            if getattr(self, name) not in known:
                raise ValueError(f"onset rule: unknown {name} '{getattr(self, name)}'; known: {', '.join(known)}")
        if not 0 < self.fraction <= 1:
            raise ValueError(f"onset rule: fraction={self.fraction} must lie in (0, 1]")
        for name in ("level", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"onset rule: {name}={getattr(self, name)} must lie in (0, 1)")

    def __str__(self) -> str:
        """Return the rule in one line, as the tables carry it."""
        at = f"{self.fraction:g} of the change" if self.threshold is None else f"level {self.threshold:g}"
        return (
            f"{self.direction} from the first {self.baseline}, held for {self.persistence}, dated at {at}, "
            f"tested at {self.grid} at {100 * self.level:g} %"
        )


@dataclass(frozen=True)
class Onset:
    """What was found. Steps are optimizer updates; None means there is no such step, never zero.

    Parameters
    ----------
    status : {"ok", "not_identifiable"}
    reason : str | None
        Why nothing was identified, detected or bounded.
    detected : bool
        False wherever `status` is not "ok".
    onset_after, onset_by : int | None
        The rule does not hold at the one and holds from the other: the onset lies in (onset_after, onset_by].
    onset_low, onset_high : int | None
        Interval at the rule's confidence; None on a side that the checkpoints do not bound.
    interval_kind : {"seeds", "evaluation_only"} | None
        "seeds" from three seeds on; else the evaluation noise alone, which says nothing about another run.
    peak_step, offset_after, offset_by : int | None
        The most extreme checkpoint and the end of the change, between two checkpoints.
    change : float | None
        Largest held change from the baseline, signed, in the units of the values.
    minimal_effect : float | None
        Smallest change that would have been detected in 80 % of walks like this one, if it rose evenly over all
        checkpoints after the baseline, the easiest of shapes. None if no size would.
    minimal_intervals : int | None
        Fewest intervals between checkpoints, per run, over which any change must extend to be told from a random walk.
    p_white_noise, p_ar1, p_random_walk, p_evaluation, p_value : float | None
        Per null, and the largest of them, the decision.
    p_adjusted : float | None
        After `control_onsets`.
    n_steps, n_seeds : int
        Checkpoints in use, after leaving out those that are missing in any seed; seeds in use.
    rule : str
    """

    status: Status
    detected: Annotated[
        bool, Column(None, "whether the declared rule calls an onset, after control for all quantities asked")
    ]
    n_steps: Annotated[int, Column("checkpoints", "checkpoints in use")]
    n_seeds: Annotated[int, Column("runs", "runs in use")]
    rule: Annotated[str, Column(None, "the declared rule in words")]
    reason: Annotated[str | None, Column(None, "why nothing was identified, detected or bounded")] = None
    onset_after: Annotated[int | None, Column("optimizer updates", "last checkpoint before the onset")] = None
    onset_by: Annotated[int | None, Column("optimizer updates", "first checkpoint from which the rule holds")] = None
    onset_low: Annotated[
        int | None, Column("optimizer updates", "lower end of the onset's interval; null if not bounded")
    ] = None
    onset_high: Annotated[int | None, Column("optimizer updates", "upper end")] = None
    interval_kind: Annotated[
        str | None, Column(None, "`seeds` (three or more), or `evaluation_only`, which says nothing about another run")
    ] = None
    peak_step: Annotated[int | None, Column("optimizer updates", "most extreme checkpoint")] = None
    offset_after: Annotated[
        int | None, Column("optimizer updates", "last checkpoint at which the change still holds")
    ] = None
    offset_by: Annotated[int | None, Column("optimizer updates", "first checkpoint at which it no longer does")] = None
    change: Annotated[float | None, Column("of the quantity", "largest held change from the baseline")] = None
    minimal_effect: Annotated[
        float | None, Column("of the quantity", "smallest even rise that would have been detected in 80 % of cases")
    ] = None
    minimal_intervals: Annotated[
        int | None, Column("intervals", "fewest checkpoints a change must extend over to be told from a random walk")
    ] = None
    p_white_noise: Annotated[float | None, Column(None, "p under white noise")] = None
    p_ar1: Annotated[float | None, Column(None, "p under AR(1)")] = None
    p_random_walk: Annotated[float | None, Column(None, "p under a random walk with the series' own increments")] = None
    p_evaluation: Annotated[float | None, Column(None, "p under evaluation noise (resampled contexts)")] = None
    p_value: Annotated[float | None, Column(None, "the largest of these: the decision")] = None
    p_adjusted: Annotated[float | None, Column(None, "`p_value` adjusted for all quantities of the subject")] = None


@dataclass(frozen=True)
class OfQuantity:
    """First columns of the emergence table."""

    declared: Declared
    quantity: Annotated[str, Column(None, "name of the quantity")]
    table: Annotated[str, Column(None, "timeline that holds it")]
    column: Annotated[str, Column(None, "its column there")]
    stratum: Stratum


@dataclass(frozen=True)
class OnsetRow(Onset, OfQuantity):
    """The onset of one declared quantity of one subject."""
