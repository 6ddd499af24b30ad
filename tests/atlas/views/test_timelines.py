import numpy as np
import pytest

from rare_neurons.atlas.arrays import unpack
from rare_neurons.atlas.views.timelines import build
from tests.figures.questions import CONTROL, COURSES, QUESTIONS, RUNS, SUBJECT


@pytest.fixture
def content(tree):
    return build(tree)


def test_the_arrays_are_the_courses(content):
    arrays, codes = ({k: unpack(v) for k, v in content.arrays.items()}, content.facts["codes"])
    found = {
        (codes["question"][question], codes["run"][run], step): tuple(values)
        for (_, question, run), step, values in zip(arrays["places"].T, arrays["steps"], arrays["values"], strict=True)
    }
    expected = {(row.question, row.run, row.step): (row.value, row.low, row.high) for row in COURSES}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2.0**-23)  # float32


def test_moves_and_dates_are_those_of_runs_in_which_a_change_is_found(content):
    known = content.facts["known"][SUBJECT]
    assert [(one["run"], one["start"], one["end"]) for one in known[QUESTIONS[0]]["turns"]] == [
        (RUNS[0], 0, 2),
        (RUNS[0], 2, 16),
        (RUNS[1], 0, 2),
        (RUNS[1], 8, 16),
    ]
    assert [(one["run"], one["after"], one["by"]) for one in known[QUESTIONS[0]]["dates"]] == [
        (RUNS[0], 2, 8),
        (RUNS[1], 0, 8),
    ]
    assert known[QUESTIONS[1]]["turns"] == known[QUESTIONS[1]]["dates"] == []
    assert (CONTROL, 2, None) in {(d["run"], d["after"], d["by"]) for d in known[QUESTIONS[2]]["dates"]}


def test_the_tiers_stand_below_each_chart(content):
    assert content.facts["known"][SUBJECT][QUESTIONS[0]]["tiers"].startswith("● run .02")
    assert content.facts["questions"]["q1"]["unit"] == "nats per token"
