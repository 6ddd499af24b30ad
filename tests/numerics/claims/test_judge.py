"""What is planted reaches its tier, and nothing else does; the error of all questions together is kept."""

import numpy as np
import pytest

from rare_neurons.numerics.claims.rows import START
from tests.numerics.claims.made import CONTROLS, RUNS, judge, tables


def reached(rows):
    return {(r.question, r.stratum): r.reached for r in rows if r.reached is not None}


def test_a_planted_cluster_of_the_first_stratum_is_specific_to_it():
    rows = judge(tables(np.random.default_rng(0), effect={"rare": 30.0}))
    assert reached(rows) == {("co-activation", "rare"): "specific"}
    over = {r.tier: r for r in rows if r.role == "all" and (r.declared, r.stratum) == (1, "rare")}
    assert [tier for tier, row in over.items() if row.holds] == ["seeds", "beyond_control", "specific"]
    assert over["seeds"].estimate == pytest.approx(30, abs=2)
    assert over["beyond_control"].n_controls == len(CONTROLS)
    assert over[START].step == 0


def test_what_both_strata_show_is_not_specific():
    rows = judge(tables(np.random.default_rng(1), effect={"rare": 30.0, "common": 30.0}))
    assert reached(rows)[("co-activation", "rare")] == "beyond_control"


def test_what_controls_show_too_is_not_beyond_them():
    found = tables(np.random.default_rng(2), dead=(0.4, 0.4))
    rows = judge(found)
    assert reached(rows) == {("kind: dead", "any"): "seeds"}
    assert reached(judge(tables(np.random.default_rng(2), dead=(0.4, 0.0)))) == {
        ("kind: dead", "any"): "beyond_control"
    }


def test_the_control_as_a_subject_reaches_no_tier_over_runs():
    rows = judge(tables(np.random.default_rng(3), dead=(0.0, 0.4)), runs=CONTROLS, controls=())
    assert reached(rows) == {("kind: dead", "any"): "run"}
    assert not any(r.holds for r in rows if r.role == "all")
    assert {r.status for r in rows if r.tier == "seeds"} == {"too_few_runs"}


def test_one_checkpoint_makes_no_claim():
    rows = judge(tables(np.random.default_rng(4), effect={"rare": 30.0}, steps=(0, 1000)))
    assert reached(rows) == {}
    alone = [r for r in rows if r.run == RUNS[0] and r.question == "co-activation"]
    assert {r.status for r in alone} == {"too_few_checkpoints"}
    assert all("one alone makes no claim" in r.reason for r in alone)


def test_absences_have_a_minimal_effect():
    rows = judge(tables(np.random.default_rng(5)))
    assert reached(rows) == {}
    assert all(r.minimal_effect > 0 for r in rows if r.tier in ("run", "seeds", "beyond_control"))
    specific = [r for r in rows if r.tier == "specific"]
    assert {r.status for r in specific} == {"not_resolved"}
    assert all("no ratio of strata exists" in r.reason for r in specific)


def test_runs_are_compared_at_the_declared_step():
    found = tables(np.random.default_rng(0), effect={"rare": 30.0})
    for row in (row for model in RUNS for row in found["organisation"][model][16]):
        row["value"] = row["placebo_value"] = 0.0
    estimates = {
        step: {r.tier: r.estimate for r in judge(found, step=step) if r.role == "all" and r.declared == 1}
        for step in ("last", 128, 16)
    }
    assert estimates["last"]["seeds"] == pytest.approx(30, abs=2)
    assert estimates[128]["seeds"] == pytest.approx(30, abs=2)
    assert estimates[128]["seeds"] != estimates["last"]["seeds"]
    assert estimates[16]["seeds"] == 0
    missing = next(r for r in judge(found, step=512) if r.tier == "seeds")
    assert (missing.step, missing.status) == (512, "too_few_runs")
    assert "step 512 is not among its good declared checkpoints" in missing.reason


def test_family_error_of_exchangeable_runs_and_controls():
    """Of claims that another seed would show, where runs and controls scatter alike, far beyond single sets.

    `benchmarks/calibration/organisation_claims.py` has more worlds and draws.
    """
    rng = np.random.default_rng(6)
    hits = [any(r.holds for r in judge(tables(rng, scatter=3.0)) if r.role == "all") for _ in range(40)]
    assert np.mean(hits) <= 0.12  # 0.05 with two standard errors of 40 draws
