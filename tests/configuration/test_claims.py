"""Sets that are too few for any claim are refused, one more is not; against the adjustment of p-values itself."""

import copy

import numpy as np
import pytest

from rare_neurons.configuration import claims
from rare_neurons.configuration.claims import out_of_reach, too_few_sets
from rare_neurons.numerics.claims.asked import ask_all
from rare_neurons.numerics.claims.judge import Subject, judge_activity
from rare_neurons.numerics.claims.questions import FAMILIES
from rare_neurons.numerics.evidence import multiplicity
from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.numerics.organisation import study
from tests.numerics.claims import made
from tools.configuration import read_config

DEFAULT = read_config("config/config.yaml")
STEPS = dict.fromkeys(DEFAULT["models"], (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000))


def changed(**activity):
    config = copy.deepcopy(DEFAULT)
    config["activity"] |= activity
    return config


def test_constants_are_those_of_the_numerics():
    assert claims.PRIMARY_SHARE == multiplicity.PRIMARY_SHARE
    assert len(FAMILIES) == claims.N_FAMILIES
    assert study.LABEL_DRAWS == claims.LABEL_DRAWS


def test_the_default_can_make_all_its_claims():
    assert list(too_few_sets(DEFAULT, STEPS)) == []
    assert out_of_reach(DEFAULT, STEPS) == []


@pytest.mark.parametrize(("key", "least"), [("n_permutations", 99), ("joint_draws", 199)])
def test_the_least_number_of_sets_is_allowed_and_one_less_is_not(key, least):
    """Three trained checkpoints, two in a row: two windows."""
    asked = {"n_permutations": 999, "joint_draws": 0}
    assert list(too_few_sets(changed(**asked | {key: least}), STEPS)) == []
    (text,) = too_few_sets(changed(**asked | {key: least - 1}), STEPS)
    assert text.startswith(f"activity.{key}: {least - 1} is not allowed; ")
    assert f"at least {least}, or fewer activity.steps: with 2 windows of checkpoints of embedded-seed0" in text


def test_sets_of_joint_ablation_are_the_first_of_all():
    (text,) = too_few_sets(changed(n_permutations=150, joint_draws=199), STEPS)
    assert text.startswith("activity.joint_draws: 199 is not allowed (150 of them by activity.n_permutations); ")


def test_more_windows_ask_for_more_sets():
    config = changed(steps="all", joint_draws=0)
    assert list(too_few_sets(config, {"embedded-seed0": range(22)})) == []  # twenty windows, 999 sets
    (text,) = too_few_sets(config, {"embedded-seed0": range(23)})
    assert "at least 1049" in text


def test_no_joint_ablation_and_no_steps_are_no_problem():
    assert list(too_few_sets(changed(joint_draws=0), STEPS)) == []
    assert list(too_few_sets(changed(steps="none", joint_draws=99, n_permutations=99), STEPS)) == []
    assert out_of_reach(changed(steps="none"), STEPS) == []


@pytest.mark.parametrize(("n", "holds"), [(99, True), (98, False)])
def test_the_limit_is_that_of_the_ledger(n, holds):
    found = made.tables(np.random.default_rng(0), effect={"rare": 60.0})
    for model in made.RUNS:
        for rows in found["organisation"][model].values():
            for row in rows:
                row["claim_p"] = max(row["claim_p"], 1 / (n + 1))
    rows = judge_activity(ask_all(found, made.STRATA), Subject("s", made.RUNS, made.CONTROLS), rule=Rule())
    reached = {(row.question, row.stratum) for row in rows if row.reached is not None}
    assert (("co-activation", "rare") in reached) == holds


def test_what_secondary_questions_cannot_reach_is_said():
    """Fourteen of them; the five about joint ablation come last in Holm's order. Two windows, half of the level."""
    asked = {"signs": ["all", "boost", "suppress"], "n_permutations": 1119, "joint_draws": 799}
    assert out_of_reach(changed(**asked), STEPS) == []
    (joint,) = out_of_reach(changed(**asked | {"joint_draws": 798}), STEPS)
    assert joint.startswith("activity: no claim can be made of joint ablation beyond primary questions")
    assert "activity.joint_draws leave p above" in joint
    (every,) = out_of_reach(changed(**asked | {"n_permutations": 1118}), STEPS)
    assert "co-activation, " in every
    assert "activity.n_permutations" in every
    counted = claims._counts(changed(**asked)["activity"])
    p = [2 / 1120] * (sum(counted.values()) - counted["joint ablation"]) + [4 / 800] * counted["joint ablation"]
    paid = multiplicity.adjust_questions(primary=[0.0], secondary=p).secondary
    assert max(paid) * claims.N_FAMILIES == pytest.approx(0.05)


def test_questions_are_counted_as_the_ledger_asks_them():
    found = made.tables(np.random.default_rng(0))
    asked = [q for q in ask_all(found, made.STRATA) if q.family == "organisation" and not q.primary]
    of_all_signs = {"strata": made.STRATA, "signs": ["all"], "joint_draws": 99, "community_draws": 0, "heads": "last"}
    counted = {name: sum(q.question == name for q in asked) for name in {q.question for q in asked}}
    assert claims._counts(of_all_signs) == counted


def test_one_checkpoint_makes_no_claim():
    (text,) = out_of_reach(changed(steps=["last"]), STEPS)
    assert "1 trained checkpoints of embedded-seed0 make no claim" in text


def test_runs_are_compared_where_something_is_measured():
    config = changed()
    config["evidence"]["step"] = 256
    (text,) = too_few_sets(config, STEPS)
    assert text == (
        "evidence.step: 256 is not allowed; embedded-seed0 has no such step among its activity.steps "
        "(0, 16, 128, 1000), and runs are compared there: name it in both"
    )
    config["evidence"]["step"] = 128
    assert list(too_few_sets(config, STEPS)) == []
