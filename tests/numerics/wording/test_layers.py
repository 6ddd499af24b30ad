"""Sentences that say what the rows hold, and no more."""

from dataclasses import replace

from rare_neurons.numerics.layers.evidence import LayerEvidenceRow
from rare_neurons.numerics.layers.ratios import LAST, MOVES, NATS
from rare_neurons.numerics.layers.ratios import SHARE as SHARE_FORM
from rare_neurons.numerics.wording.layers import describe_account, describe_layers

SHARE = LayerEvidenceRow(
    declared=1,
    question=LAST,
    run="s",
    role="all",
    tier="seeds",
    stratum="rare",
    step=1000,
    since=None,
    form=SHARE_FORM,
    estimate=-0.25,
    low=-0.4,
    high=-0.1,
    p_value=0.01,
    p_adjusted=0.02,
    minimal_effect=0.1,
    holds=True,
    reached="beyond_control",
    n_runs=3,
    n_controls=2,
    status="tested",
    reason=None,
)
RUN = replace(SHARE, run="s-seed0", role="run", tier="run", since=16)


def test_what_is_found_is_said_with_its_interval_and_how_far_it_goes():
    (said,) = describe_layers([SHARE])
    assert "on rare tokens: the last layer's share" in said
    assert "-0.25 [-0.4, -0.1]" in said
    assert said.endswith("goes beyond that of the controls.")


def test_where_mean_squares_are_not_resolved_nats_are_said():
    (said,) = describe_layers([replace(SHARE, form=NATS, estimate=-2.5e-4, low=-4e-4, high=-1e-4)])
    assert "differs from the mean over all layers by -0.00025 nats [-0.0004, -0.0001]" in said


def test_what_is_not_found_is_said_with_its_p():
    (said,) = describe_layers([replace(SHARE, reached=None, p_adjusted=0.3)])
    assert said.endswith("which is not told from noise, p = 0.3.")


def test_a_move_names_the_checkpoint_it_is_from():
    rows = [replace(SHARE, declared=2, question=MOVES), replace(RUN, declared=2, question=MOVES)]
    (said,) = describe_layers(rows)
    assert "moves by -0.25 [-0.4, -0.1] from step 16" in said


def test_without_numbers_the_reason_is_said():
    nothing = {"estimate": None, "low": None, "high": None, "reached": None, "reason": "too little"}
    (said,) = describe_layers([replace(SHARE, **nothing)])
    assert said.endswith("not judged (too little).")


def test_an_account_names_parts_by_size_and_what_is_left_over():
    parts = {"norm": 0.1, "neurons of layer 0": -1.2, "other": 0.001}
    said = describe_account(parts, stratum="rare", change=-1.08, since=128, step=1000, n_runs=3)
    assert "step 128 to 1,000: -1.08 nats (mean of three runs)" in said
    assert "of which neurons of layer 0 -1.20, norm +0.10; left over +0.02." in said


def test_of_one_run_its_own_value_is_said_and_its_own_reason():
    nothing = {"estimate": None, "low": None, "high": None, "p_adjusted": None}
    whole = replace(SHARE, **nothing, reached="run", n_runs=1, reason="1 of 1 runs have a value, but 3 are needed")
    (said,) = describe_layers([whole, replace(RUN, reached="run")])
    assert "-0.25 [-0.4, -0.1]" in said
    assert said.endswith("Known of this run alone; one run says nothing of other seeds.")
    alone = replace(RUN, **nothing, reached=None, reason="one layer, but layers are compared from two on")
    (said,) = describe_layers([replace(whole, reached=None), alone])
    assert said.endswith("last layer: not judged (one layer, but layers are compared from two on).")
