"""What a configuration can show at best, beside what the study of such a subject says."""

import pytest

from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.stages.plan_tiers import reach_of, within_reach

EVIDENCE = {"rule": {"persistence": 2}, "questions": {"q": {"against": "common"}}}


def rows(models: dict, steps: dict, evidence: dict = EVIDENCE) -> dict[str, tuple]:
    found = reach_of(models, evidence, steps)
    return {one.subject: (one.n_runs, one.n_controls, one.n_checkpoints, one.tiers) for one in found}


@pytest.mark.parametrize(
    ("counts", "n_more_steps", "n_tiers", "more"),
    [
        ((5, 5), 1, 0, "1 more checkpoint of each run"),
        ((1, 0), 0, 1, "2 more seeds"),
        ((2, 2), 0, 1, "1 more seed "),
        ((3, 0), 0, 2, "2 more controls"),
        ((3, 1), 0, 2, "1 more control "),
        ((3, 2), 0, 4, ""),
    ],
)
def test_each_tier_needs_what_its_judge_asks_for(counts, n_more_steps, n_tiers, more):
    n, said = within_reach(*counts, n_more_steps=n_more_steps)
    assert n == n_tiers
    assert said.replace("one", "1").replace("two", "2").startswith(more)


def test_a_row_for_each_subject_and_none_for_its_controls():
    run = {"subject": "small"}
    models = {"a": run, "b": run, "c": run, "x": {"control_of": "small"}, "y": {"control_of": "small"}, "alone": {}}
    found = rows(models, {name: [0, 1, 2] for name in models})
    assert found["small"] == (3, 2, 3, TIERS)
    assert found["alone"] == (1, 0, 3, ("run",))
    assert set(found) == {"small", "alone"}


def test_two_checkpoints_reach_nothing_and_without_a_stratum_against_nothing_is_specific():
    models = {"a": {"subject": "s"}, "b": {"subject": "s"}, "c": {"subject": "s"}}
    models |= {name: {"control_of": "s"} for name in "xy"}
    steps = {name: [0, 1, 2] for name in models}
    assert rows(models, steps, EVIDENCE | {"questions": {"q": {}}})["s"][3] == TIERS[:3]
    assert rows(models, steps | {"a": [0, 1]})["s"][2:] == (2, ())
