"""Controls of a claim: all but the one that the data themselves are."""

import pytest

from rare_neurons.numerics.claims.controls import Controls, check_known
from rare_neurons.numerics.claims.evidence import Evidence

STEP0, SHUFFLED = Evidence(0.0, -0.5, 0.5), Evidence(1.0, 0.5, 1.5)


@pytest.mark.parametrize(
    ("own", "others"),
    [
        (None, {"step 0": STEP0, "the shuffled run": SHUFFLED}),
        ("step 0", {"the shuffled run": SHUFFLED}),
        ("the shuffled run", {"step 0": STEP0}),
    ],
)
def test_a_control_is_not_held_against_itself(own, others):
    assert Controls(STEP0, SHUFFLED, own).others() == others


def test_an_absent_control_is_still_asked_for():
    assert Controls(None, SHUFFLED).others()["step 0"] is None


def test_what_is_unknown_is_named():
    with pytest.raises(ValueError, match="unknown own control 'step 1'; known: None, step 0, the shuffled run"):
        Controls(None, None, "step 1")
    with pytest.raises(ValueError, match="claim: unknown way 'up'; known: down"):
        check_known("way", "up", ("down",))
