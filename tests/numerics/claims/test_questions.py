"""What is declared can be answered by the tables that there are."""

from rare_neurons.catalogue import JUDGED_ACTIVITY
from rare_neurons.numerics.claims.questions import KIND_QUESTIONS, PRIMARY, SET_QUESTIONS
from rare_neurons.numerics.kinds.summary import FLAGS, KINDS


def test_questions_name_tables_and_kinds_that_are_made():
    assert {q.table for q in SET_QUESTIONS} <= set(JUDGED_ACTIVITY)
    assert set(KIND_QUESTIONS) <= {*KINDS, *FLAGS}
    assert set(PRIMARY) <= {q.name for q in SET_QUESTIONS}


def test_only_effects_in_one_unit_on_all_strata_are_compared_between_them():
    assert {q.unit for q in SET_QUESTIONS if q.specific} == {"r²", "squared cosine"}
