"""Questions follow the tables: their order, what is left out, and which neurons are counted."""

import numpy as np

from rare_neurons.numerics.claims.asked import ask_all, count_kind
from tests.numerics.claims.made import N_NEURONS, RUNS, STEPS, STRATA, kind_rows, tables


def test_primary_questions_come_first_and_concern_the_first_stratum():
    asked = ask_all(tables(np.random.default_rng(0)), STRATA)
    assert [(q.question, q.stratum) for q in asked if q.primary] == [
        ("co-activation", "rare"),
        ("joint ablation", "rare"),
    ]
    assert [q.primary for q in asked] == sorted((q.primary for q in asked), reverse=True)
    assert [q.question for q in asked if q.others] == ["co-activation", "common output directions"]
    assert "communities" not in {q.question for q in asked}  # not searched


def test_signs_are_asked_where_there_are_such_sets():
    found = tables(np.random.default_rng(0))
    for rows in found["organisation"]["a"].values():
        rows += [{**row, "sign": "boost"} for row in list(rows)]
    asked = [q for q in ask_all(found, STRATA) if q.sign == "boost"]
    assert {(q.question, tuple(q.findings)) for q in asked} == {("co-activation", ("a",))}
    assert not any(q.primary or q.others for q in asked)


def test_kinds_are_compared_with_step_0_in_layers_that_count():
    found = tables(np.random.default_rng(0), dead=(0.5, 0.0))
    del found["kinds"]["b"][0]
    dead = next(q for q in ask_all(found, STRATA) if q.question == "kind: dead")
    assert set(dead.findings) == {*RUNS, "x", "y"} - {"b"}
    assert [one.step for one in dead.findings["a"]] == list(STEPS[1:])
    tokens = next(q for q in ask_all(found, STRATA) if q.question == "kind: token_detector")
    assert {one.beyond for one in tokens.findings["a"]} == {0.0}


def test_flags_count_whatever_the_kind():
    rows = kind_rows(np.random.default_rng(0), 1.0)
    rows[0]["positional"] = True
    assert count_kind("positional", rows) == (1, N_NEURONS)
    assert count_kind("dead", rows) == (N_NEURONS, N_NEURONS)


def test_routing_is_read_against_one_stratum():
    found = tables(np.random.default_rng(0))
    for rows in found["routing"]["a"].values():
        rows.append({**rows[0], "against": "mid", "p_max": 0.001})
    asked = next(q for q in ask_all(found, STRATA) if (q.question, q.stratum) == ("routing", "rare"))
    assert all(one.p_rise == found["routing"]["a"][one.step][0]["p_max"] for one in asked.findings["a"])
