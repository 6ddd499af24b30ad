"""Rows of the tables of evidence, written by hand: three questions to two runs and a control."""

from rare_neurons.numerics.evidence.rows import CourseRow, EvidenceRow, OnsetRow, TurnRow

SUBJECT, RUNS, CONTROL = "a", ("a-seed0", "a-seed1"), "shuffled"
STEPS = (0, 2, 8, 16)
QUESTIONS = ("loss on rare tokens", "mean influence on rare tokens", "loss on common tokens")
COLUMNS = {
    "loss on rare tokens": ("behaviour", "loss", "rare"),
    "loss on common tokens": ("behaviour", "loss", "common"),
}
COLUMNS["mean influence on rare tokens"] = ("moments", "mean_influence_within", "rare")
TOO_FEW = "2 runs, but other seeds can be judged from 3 on"


def of_tier(
    question: str, tier: str, run: str, role: str, *, holds: bool, p: float | None, **more: object
) -> EvidenceRow:
    """One row of `evidence`; what is not named is a change of -1.5 with an interval of one."""
    table, column, stratum = COLUMNS[question]
    columns = {
        "declared": QUESTIONS.index(question) + 1,
        "question": question,
        "table": table,
        "column": column,
        "stratum": stratum,
        "direction": "either",
        "primary": False,
        "against": None,
        "step": 16,
        "scale": "linear",
        "estimate": -1.5,
        "low": -2.0,
        "high": -1.0,
        "p_value": p,
        "minimal_effect": None,
        "reached": None,
        "n_runs": 1,
        "n_controls": 0,
        "status": "ok",
        "reason": None,
    }
    return EvidenceRow(**{**columns, "run": run, "role": role, "tier": tier, "holds": holds, "p_adjusted": p, **more})


def _asked(question: str, p_runs: tuple[float, float], p_control: float) -> list[EvidenceRow]:
    p = {**dict(zip(RUNS, p_runs, strict=True)), CONTROL: p_control}
    reached = "run" if max(p_runs) <= 0.05 else None
    rows = [
        of_tier(
            question,
            "run",
            model,
            "run" if model in RUNS else "control",
            holds=value <= 0.05,
            p=value,
            reached=reached,
            minimal_effect=None if value <= 0.05 else 0.125,
        )
        for model, value in p.items()
    ]
    none = dict.fromkeys(("estimate", "low", "high"))
    why = {"status": "too_few_runs", "reason": TOO_FEW, "n_runs": 2, "n_controls": 1, "reached": reached, **none}
    later = [
        of_tier(question, tier, SUBJECT, "all", holds=False, p=None, **why) for tier in ("seeds", "beyond_control")
    ]
    return [*rows, *later]


EVIDENCE = [
    *_asked("loss on rare tokens", (0.01, 0.02), 0.5),
    *_asked("mean influence on rare tokens", (0.3, 0.4), 0.6),
    *_asked("loss on common tokens", (0.001, 0.001), 0.001),
]


def onset(question: str, run: str, role: str, **more: object) -> OnsetRow:
    """One row of `onsets`, without a date unless one is named."""
    places = dict.fromkeys(("sign", "after", "by", "crossed_after", "crossed_by", "peak"))
    rule = {"fraction": 0.5, "confidence": 0.9, "status": "no_change", "reason": "nothing is held"}
    about = {"declared": QUESTIONS.index(question) + 1, "question": question, "run": run, "role": role}
    return OnsetRow(**{**about, **places, **rule, **more})


_DATED = {"sign": -1, "crossed_after": 2, "crossed_by": 8, "peak": 16, "status": "dated", "reason": None}
ONSETS = [
    onset("loss on rare tokens", RUNS[0], "run", after=2, by=8, **_DATED),
    onset("loss on rare tokens", RUNS[1], "run", after=0, by=8, **_DATED),
    onset("loss on rare tokens", CONTROL, "control"),
    *(onset("mean influence on rare tokens", run, "run") for run in RUNS),
    onset("mean influence on rare tokens", CONTROL, "control"),
    *(onset("loss on common tokens", run, "run", after=0, by=2, **_DATED) for run in RUNS),
    onset("loss on common tokens", CONTROL, "control", after=2, by=None, **{**_DATED, "status": "open_end"}),
    *(onset(q, SUBJECT, "all", status="too_few_runs", reason="2 runs, but a date needs 3") for q in QUESTIONS),
]


def turn(question: str, run: str, start: int, end: int, change: float, *, place: int = 1) -> TurnRow:
    """One row of `turns`."""
    role = "control" if run == CONTROL else "run"
    return TurnRow(QUESTIONS.index(question) + 1, question, run, role, place, start, end, change, 0.01)


TURNS = [
    turn("loss on rare tokens", RUNS[0], 0, 2, 1.0),
    turn("loss on rare tokens", RUNS[0], 2, 16, -2.5, place=2),
    turn("loss on rare tokens", RUNS[1], 0, 2, 1.0),
    turn("loss on rare tokens", RUNS[1], 8, 16, -2.0, place=2),
    turn("mean influence on rare tokens", RUNS[0], 2, 8, -1.0),  # of a run in which nothing is held
    *(turn("loss on common tokens", model, 0, 8, -2.0) for model in (*RUNS, CONTROL)),
]


def course(question: str, model: str, step: int) -> float:
    """Value that is drawn; means of influence are below zero at the first checkpoint."""
    if question.startswith("mean"):
        return (step - 1) * 1e-4
    return 8 - step / 4 + (question == "loss on rare tokens") + 0.25 * (*RUNS, CONTROL).index(model)


COURSES = [
    CourseRow(
        k + 1,
        question,
        model,
        "control" if model == CONTROL else "run",
        step,
        value=course(question, model, step),
        low=course(question, model, step) - 0.25e-4,
        high=course(question, model, step) + 0.25e-4,
    )
    for k, question in enumerate(QUESTIONS)
    for model in (*RUNS, CONTROL)
    for step in STEPS
]
