"""The rule of an onset, declared before looking, and what it found."""

from dataclasses import dataclass

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

    status: str
    detected: bool
    n_steps: int
    n_seeds: int
    rule: str
    reason: str | None = None
    onset_after: int | None = None
    onset_by: int | None = None
    onset_low: int | None = None
    onset_high: int | None = None
    interval_kind: str | None = None
    peak_step: int | None = None
    offset_after: int | None = None
    offset_by: int | None = None
    change: float | None = None
    minimal_effect: float | None = None
    minimal_intervals: int | None = None
    p_white_noise: float | None = None
    p_ar1: float | None = None
    p_random_walk: float | None = None
    p_evaluation: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
