import pandas as pd
import pytest

from rare_neurons.replication.answers import read_answer, worded
from tests.replication.tree import LOSS, SERVES, evidence_rows


@pytest.fixture
def rows():
    return pd.DataFrame(evidence_rows("heldout"))


def asked(rows, question):
    return rows[rows.question == question]


def test_an_answer_counts_runs_and_controls_and_names_the_highest_tier(rows):
    found = read_answer(asked(rows, SERVES))
    assert (found.n_runs, found.n_controls) == ((2, 2), (1, 2))
    assert found.p_values == {"seeds": 0.004, "beyond_control": 0.02, "specific": 0.3}
    assert (found.tier, str(found), found.reason) == (
        "beyond_control",
        "beyond control, p = 0.020",
        "specific: p = 0.300",
    )
    assert found.seeds.estimate == 0.0002


def test_without_a_tier_the_first_comparison_stands_beside_it(rows):
    found = read_answer(asked(rows, LOSS))
    assert (found.tier, str(found)) == (None, "none; seeds: p = 0.004")
    assert found.reason == "run: not in most of the runs"


def test_a_tier_that_could_not_be_tested_says_why(rows):
    one = asked(rows, SERVES).assign(reached="run")
    seeds = (one.tier == "seeds") & (one.role == "all")
    one.loc[seeds, ["p_adjusted", "reason"]] = [None, "seeds: 2 runs, but 3 are needed"]
    found = read_answer(one)
    assert (str(found), found.reason) == ("run; seeds: p = –", "seeds: 2 runs, but 3 are needed")


def test_after_the_last_tier_asked_nothing_is_missing(rows):
    one = asked(rows, LOSS).assign(reached="seeds")
    assert read_answer(one).reason == ""
    alone = one[one.role != "all"].assign(reached="run")
    found = read_answer(alone)
    assert (found.p_values, found.seeds, str(found), found.reason) == ({}, None, "run", "")
    assert worded("beyond_control") == "beyond control"
