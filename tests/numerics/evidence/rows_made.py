"""Rows of the tables of evidence for tests: all columns have a value, and a test names those that it is about."""

from rare_neurons.numerics.evidence.rows import EvidenceRow, OnsetRow, TurnRow

QUESTION = "loss on rare tokens"
SUBJECT = "a"


def evidence(tier, run=SUBJECT, role="all", **more):
    """One row of `evidence`: a fall by 1.5 that holds."""
    columns = {
        "declared": 1,
        "question": QUESTION,
        "table": "behaviour",
        "column": "loss",
        "stratum": "rare",
        "direction": "either",
        "primary": True,
        "against": "common",
        "step": 1000,
        "scale": "linear",
        "estimate": -1.5,
        "low": -2.0,
        "high": -1.0,
        "p_value": 0.001,
        "p_adjusted": 0.002,
        "minimal_effect": None,
        "holds": True,
        "reached": None,
        "n_runs": 3,
        "n_controls": 2,
        "status": "ok",
        "reason": None,
    }
    return EvidenceRow(**{**columns, "tier": tier, "run": run, "role": role, **more})


def of_runs(*holds, role="run", **more):
    """Rows of tier `run`, one per flag; what does not hold has p = 0.4."""
    name = "run" if role == "run" else "control"
    p = {True: 0.002, False: 0.4}
    return [
        evidence("run", f"{name}{k}", role, **{"holds": held, "p_adjusted": p[held], **more})
        for k, held in enumerate(holds)
    ]


def onset(run, role="run", **more):
    """One row of `onsets`: half of a fall, after step 8 and by step 32."""
    places = {"sign": -1, "after": 8, "by": 32, "crossed_after": 8, "crossed_by": 16, "peak": 1000}
    rule = {"fraction": 0.5, "confidence": 0.9, "status": "dated", "reason": None}
    return OnsetRow(**{"declared": 1, "question": QUESTION, "run": run, "role": role, **places, **rule, **more})


def turn(run, start, end, change, role="run"):
    """One row of `turns`."""
    return TurnRow(1, QUESTION, run, role, 1, start, end, change, 0.01)
