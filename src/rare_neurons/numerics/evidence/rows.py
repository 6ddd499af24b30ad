"""Rows of the tables of evidence."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Declared, Reason, Stratum

_OWN = "in the unit of the statistic; of its natural logarithm where `scale` is `log`"
Question = Annotated[str, Column(None, "the question, as the configuration names it")]
Run = Annotated[str, Column(None, "model, or the subject where all its runs are taken together")]
Role = Annotated[str, Column(None, "`run` or `control` of the subject, or `all` runs together")]


@dataclass(frozen=True)
class OfQuestion:
    """First columns of rows that are about one question and one run."""

    declared: Declared
    question: Question
    run: Run
    role: Role


@dataclass(frozen=True)
class EvidenceRow(OfQuestion):
    """One question at one tier."""

    tier: Annotated[str, Column(None, "`run`, `seeds`, `beyond_control` or `specific`")]
    table: Annotated[str, Column(None, "table of the statistic")]
    column: Annotated[str, Column(None, "its column; of `rms_*` the mean square, free of noise, is compared")]
    stratum: Stratum
    direction: Annotated[str, Column(None, "which change was asked for: `rise`, `fall` or `either`")]
    primary: Annotated[bool, Column(None, "whether it is one of the primary questions")]
    against: Annotated[str | None, Column(None, "stratum beyond which the effect must go at tier `specific`")]
    step: Annotated[int | None, Column("optimizer updates", "checkpoint at which runs are compared")]
    scale: Annotated[
        str, Column(None, "`linear`; `log`: of the natural logarithm; `share`: of the growth of the mean square")
    ]
    estimate: Annotated[
        float | None,
        Column("of the statistic", f"change since the first checkpoint, or its difference between sides, {_OWN}"),
    ]
    low: Annotated[float | None, Column("of the statistic", "lower end of its interval over documents, types and runs")]
    high: Annotated[float | None, Column("of the statistic", "upper end")]
    p_value: Annotated[float | None, Column("probability", "before other questions are paid for")]
    p_adjusted: Annotated[
        float | None, Column("probability", "the same, paid for: this one is compared with the level")
    ]
    minimal_effect: Annotated[
        float | None, Column("of the statistic", "change that such noise would have let be found in four of five cases")
    ]
    holds: Annotated[bool, Column(None, "whether the tier is reached, with all those before it")]
    reached: Annotated[str | None, Column(None, "highest tier that the question reaches for the subject")]
    n_runs: Annotated[int, Column("runs", "runs compared")]
    n_controls: Annotated[int, Column("runs", "controls compared")]
    status: Annotated[str, Column(None, "`ok`, or why it was not tested")]
    reason: Reason


@dataclass(frozen=True)
class OnsetRow(OfQuestion):
    """When one statistic of one run, or of another seed, has changed."""

    sign: Annotated[int | None, Column(None, "1 for a rise, -1 for a fall")]
    after: Annotated[int | None, Column("optimizer updates", "interval: certainly not before this checkpoint's end")]
    by: Annotated[
        int | None, Column("optimizer updates", "interval: certainly by this checkpoint; null if never certain")
    ]
    crossed_after: Annotated[int | None, Column("optimizer updates", "estimate: still below at this checkpoint")]
    crossed_by: Annotated[int | None, Column("optimizer updates", "estimate: at or above from this checkpoint on")]
    peak: Annotated[int | None, Column("optimizer updates", "checkpoint whose change is the reference")]
    fraction: Annotated[float, Column("share", "of that change, at which the onset is dated")]
    confidence: Annotated[float, Column("share", "coverage of the interval")]
    status: Annotated[str, Column(None, "`dated`, `open_end`, or why there is no date")]
    reason: Reason


@dataclass(frozen=True)
class TurnRow(OfQuestion):
    """One rise or fall of one statistic of one run."""

    turn: Annotated[int, Column("rank", "1-based, in the order of training")]
    start: Annotated[int, Column("optimizer updates", "checkpoint from which it moves")]
    end: Annotated[int, Column("optimizer updates", "checkpoint up to which it moves")]
    change: Annotated[float, Column("of the statistic", "value at the end minus value at the start")]
    p_value: Annotated[float, Column("probability", "paid for over all pairs of checkpoints of the run")]


@dataclass(frozen=True)
class CourseRow(OfQuestion):
    """One statistic of one run at one checkpoint, as it is drawn."""

    step: Annotated[int, Column("optimizer updates", "training step of the checkpoint")]
    value: Annotated[float, Column("of the statistic", "of `rms_*` the signed root of the mean square, free of noise")]
    low: Annotated[float, Column("of the statistic", "lower end of its interval over documents and token types")]
    high: Annotated[float, Column("of the statistic", "upper end")]
