import itertools

import numpy as np
import pytest

from rare_neurons.numerics.claims.controls import Controls, Null
from rare_neurons.numerics.claims.evidence import Evidence
from rare_neurons.numerics.claims.judge import judge_claim

STEP0 = Evidence(0.0, -0.5, 0.5, seeds=3)
SHUFFLED = Evidence(1.0, 0.5, 1.5, seeds=3)


def _judge(evidence=None, **options):
    given = {
        "control_step0": STEP0,
        "control_shuffled": SHUFFLED,
        "null": "random walk",
        "null_p": 0.001,
        "adjusted_p": 0.01,
        "sample_unit": "seed",
    }
    given |= options
    asked = {name: given[name] for name in ("sample_unit", "direction") if name in given}
    return judge_claim(
        "kurtosis",
        evidence or Evidence(4.0, 3.0, 5.0, seeds=3),
        controls=Controls(given["control_step0"], given["control_shuffled"], given.get("own")),
        null=Null(given["null"], given["null_p"], given["adjusted_p"], given.get("null_minimal_effect")),
        **asked,
    )


def test_supported_needs_the_null_and_both_controls():
    claim = _judge()
    assert (claim.verdict, claim.estimate, claim.control_step0, claim.control_shuffled) == ("supported", 4.0, 0.0, 1.0)
    assert claim.reason == "above step 0 and the shuffled run, adjusted p 0.01 against random walk"
    for broken in (
        {"adjusted_p": 0.051},
        {"control_step0": Evidence(2.8, 2.5, 3.1, seeds=3)},
        {"control_shuffled": Evidence(2.8, 2.5, 3.1, seeds=3)},
        {"evidence": Evidence(4.0, 1.4, 6.6, seeds=3)},
    ):
        assert _judge(**broken).verdict == "not detected"


def test_the_verdict_equals_the_rule_spelt_out():
    bounds = [(-1.0, 0.0), (0.5, 1.5), (2.0, 4.0)]
    for step0, shuffled, own, p, direction in itertools.product(bounds, bounds, bounds, (0.01, 0.2), ("rise", "fall")):
        evidence, first, second = (Evidence(sum(b) / 2, *b, seeds=3) for b in (own, step0, shuffled))
        claim = _judge(evidence, control_step0=first, control_shuffled=second, adjusted_p=p, direction=direction)
        if direction == "rise":
            beyond = own[0] > step0[1] and own[0] > shuffled[1]
        else:
            beyond = own[1] < step0[0] and own[1] < shuffled[0]
        assert claim.verdict == ("supported" if beyond and p <= 0.05 else "not detected")


def test_not_detected_names_what_failed_and_the_smallest_effect():
    near = _judge(Evidence(2.0, 1.0, 3.0, seeds=3))
    assert near.verdict == "not detected"
    assert near.reason == "its interval ends at 1, not above 1.5 of the shuffled run"
    assert near.minimal_effect == pytest.approx(2.5)
    both = _judge(Evidence(0.2, -0.8, 1.2, seeds=3), adjusted_p=0.4)
    assert both.reason.startswith("adjusted p 0.4 against random walk is above 0.05; its interval ends at -0.8")
    assert both.minimal_effect is None
    assert _judge(adjusted_p=0.4, null_minimal_effect=7.0).minimal_effect == 7.0
    assert _judge(adjusted_p=0.4, null_minimal_effect=2.0).minimal_effect == 4.0


def test_the_smallest_effect_is_where_the_verdict_turns():
    edge = _judge(Evidence(2.0, 1.0, 3.0, seeds=3)).minimal_effect
    for shift, verdict in ((1e-9, "supported"), (-1e-9, "not detected")):
        moved = Evidence(edge + shift, edge + shift - 1, edge + shift + 1, seeds=3)
        assert _judge(moved).verdict == verdict


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"control_step0": None}, "no control: step 0"),
        ({"control_shuffled": Evidence(1.0, np.nan, np.nan)}, "no control: the shuffled run"),
        ({"control_step0": None, "control_shuffled": None}, "no control: step 0 and the shuffled run"),
        ({"evidence": Evidence(4.0, 3.0, 5.0, seeds=2)}, "2 run(s), but a claim over training needs 3 or more seeds"),
        ({"evidence": Evidence(4.0, np.nan, 5.0, seeds=3)}, "no estimate with an interval"),
        ({"null_p": None, "adjusted_p": None}, "no p-value under the null"),
        ({"null_p": 0.01, "adjusted_p": np.nan}, "no p-value under the null"),
    ],
)
def test_what_is_missing_makes_it_not_identifiable(options, reason):
    claim = _judge(**options)
    assert (claim.verdict, claim.reason, claim.minimal_effect) == ("not identifiable", reason, None)


def test_no_evidence_at_all_leaves_nulls_not_numbers():
    claim = judge_claim(
        "kurtosis",
        None,
        controls=Controls(None, None),
        null=Null("random walk", None, None),
        sample_unit="context",
    )
    assert (claim.verdict, claim.estimate, claim.low, claim.seeds) == ("not identifiable", None, None, 0)


def test_contexts_speak_of_these_runs_only():
    claim = _judge(Evidence(4.0, 3.0, 5.0, seeds=1), sample_unit="context")
    assert claim.verdict == "supported"
    assert claim.reason.endswith("it speaks of these runs, not of training in general")


def test_a_control_of_one_run_borrows_the_spread_over_runs():
    one_run = Evidence(1.6, 1.5, 1.7, seeds=1)
    # Half-width 1 of three runs is 1.73 of one: the control reaches to 3.33, beyond 3.
    assert _judge(control_shuffled=one_run).verdict == "not detected"
    assert _judge(control_shuffled=one_run, sample_unit="context").verdict == "supported"
    assert _judge(control_shuffled=Evidence(1.6, 1.5, 1.7, seeds=3)).verdict == "supported"


def test_a_run_like_its_controls_is_rarely_supported():
    rng = np.random.default_rng(0)
    half, supported = 1.645, 0
    for _ in range(2000):
        own, first, second = (Evidence(x, x - half, x + half, seeds=3) for x in rng.standard_normal(3))
        supported += _judge(own, control_step0=first, control_shuffled=second, adjusted_p=0.0, null_p=0.0).verdict == (
            "supported"
        )
    # One control alone would be exceeded in 1 % (2.33 standard errors of the difference).
    assert supported / 2000 <= 0.01


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_unit": "run"}, "unknown sample_unit 'run'; known: seed, context"),
        ({"direction": "up"}, "unknown direction 'up'; known: rise, fall"),
        ({"null_p": 0.2, "adjusted_p": 0.1}, r"adjusted_p=0\.1 is below null_p=0\.2"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _judge(**options)


def test_a_control_is_judged_without_itself():
    # The intervals overlap its own, which is itself.
    like_shuffled = {"evidence": Evidence(1.0, 0.6, 1.4, seeds=3)}
    assert _judge(**like_shuffled).verdict == "not detected"
    alone = _judge(**like_shuffled, control_shuffled=None, own="the shuffled run")
    assert (alone.verdict, alone.control_shuffled) == ("supported", None)
