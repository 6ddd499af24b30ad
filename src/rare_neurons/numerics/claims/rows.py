"""Rows of the table of claims about organisation and kinds."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Declared, Reason
from rare_neurons.numerics.evidence.rows import Role, Run

from .specific import LOG, LOG_SHARE, SHARE

START = "start"
ANY = "any"


@dataclass(frozen=True)
class ActivityEvidenceRow:
    """One question at one tier."""

    declared: Declared
    question: Annotated[str, Column(None, "what is asked (docs/methods/organisation.md), or `kind: ` and the kind")]
    stratum: Annotated[str, Column(None, f"class of token types that chose the set; `{ANY}` for kinds")]
    sign: Annotated[str, Column(None, "`all`, `boost` or `suppress`: which neurons may be in the set")]
    run: Run
    role: Role
    tier: Annotated[
        str,
        Column(
            None,
            f"`run`, `seeds`, `beyond_control` or `specific`; `{START}`: test of `seeds` at step 0, which is no tier",
        ),
    ]
    family: Annotated[str, Column(None, "`organisation` or `kinds`: questions that share half of the level")]
    primary: Annotated[bool, Column(None, "whether it is one of the family's primary questions")]
    step: Annotated[int | None, Column("optimizer updates", "checkpoint at which runs are compared, or a run's last")]
    unit: Annotated[
        str,
        Column(
            None,
            f"of the estimate; of tier `specific` its form: `{LOG}`, `{SHARE}` or `{LOG_SHARE}`, where it was judged",
        ),
    ]
    estimate: Annotated[
        float | None,
        Column(
            "of the row",
            "value less the median of matched sets, mean over runs; of a kind, share of neurons less that at the start",
        ),
    ]
    low: Annotated[float | None, Column("of the row", "lower end of its interval over runs; of a run, over its sets")]
    high: Annotated[float | None, Column("of the row", "upper end")]
    placebo_estimate: Annotated[
        float | None, Column("of the row", "value less that of the placebo, likewise; null where there is no placebo")
    ]
    p_value: Annotated[
        float | None, Column("probability", "over declared checkpoints or runs, before other questions are paid for")
    ]
    p_adjusted: Annotated[
        float | None, Column("probability", "the same, paid for: this one is compared with the level")
    ]
    minimal_effect: Annotated[
        float | None,
        Column("of the row", "effect that such noise would have let be found in four of five cases, if asked alone"),
    ]
    holds: Annotated[bool, Column(None, f"whether the tier is reached, with all before it; of `{START}` whether found")]
    reached: Annotated[str | None, Column(None, "highest tier that the question reaches for the subject")]
    n_runs: Annotated[int, Column("runs", "runs compared")]
    n_controls: Annotated[int, Column("runs", "controls compared")]
    status: Annotated[str, Column(None, "`tested`, or why it was not")]
    reason: Reason
