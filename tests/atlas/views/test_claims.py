import numpy as np
import pytest

from rare_neurons.atlas.views import claims
from rare_neurons.atlas.views.claims import build
from rare_neurons.numerics.wording.standing import FAILS, HOLDS, NOT_JUDGED, standings
from tests.figures.questions import CONTROL, EVIDENCE, QUESTIONS, RUNS, SUBJECT, TOO_FEW, of_tier


def known(tree, question):
    return build(tree).facts["known"][SUBJECT][question]


def test_runs_and_controls_stand_with_their_intervals_and_what_has_none_is_left_out(tree):
    rows = known(tree, QUESTIONS[0])["rows"]
    assert [(row["who"], row["kind"]) for row in rows] == [*((run, "run") for run in RUNS), (CONTROL, "control")]
    assert {(row["estimate"], row["low"], row["high"], row["none"]) for row in rows} == {(-1.5, -2.0, -1.0, 0.0)}
    assert [row["holds"] for row in rows] == [True, True, False]


def test_a_logarithm_is_drawn_as_a_factor_apart_from_changes():
    seeds = of_tier(QUESTIONS[0], "seeds", SUBJECT, "all", holds=True, p=0.01, scale="log")
    (standing,) = standings([row for row in EVIDENCE if row.question == QUESTIONS[0] and row.tier == "run"] + [seeds])
    row = claims._known(standing)["rows"][-1]
    assert (row["who"], row["panel"], row["none"]) == ("other seeds", "factor", 1.0)
    assert [row[name] for name in ("estimate", "low", "high")] == pytest.approx(np.exp([-1.5, -2, -1]).tolist())


def test_every_tier_is_said_with_its_mark_its_p_and_why_it_is_not_reached(tree):
    words = known(tree, QUESTIONS[0])["words"]
    assert [(one["tier"], one["mark"], one["p"]) for one in words] == [
        ("run", HOLDS, "0.02"),
        ("seeds", NOT_JUDGED, ""),
        ("beyond control", NOT_JUDGED, ""),
    ]
    assert words[1]["why"] == TOO_FEW
    assert known(tree, QUESTIONS[1])["words"][0]["mark"] == FAILS


def test_every_question_has_its_chart_under_its_name(tree):
    content = build(tree)
    assert list(content.charts) == list(content.titles) == ["q1", "q2", "q3"]
    assert "Loss on rare tokens" in content.titles["q1"]
