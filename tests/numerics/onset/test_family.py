"""Onsets of several quantities, looked at together."""

import numpy as np
import pytest

from rare_neurons.numerics.onset.detect import detect_onset
from rare_neurons.numerics.onset.family import control_onsets
from rare_neurons.numerics.onset.rule import OnsetRule

STEPS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000])
RISE = np.array([0.0, 0.0, 0.1, 0.0, 0.2, 1.0, 3.0, 6.0, 8.0, 9.0, 9.5, 9.6])


def test_onsets_looked_at_together_are_withdrawn_with_a_reason():
    five = detect_onset(STEPS, np.concatenate([np.zeros(6), np.arange(6.0)]), rule=OnsetRule())
    eleven = detect_onset(STEPS, np.arange(12.0), rule=OnsetRule())
    none = detect_onset(STEPS[:3], RISE[:3], rule=OnsetRule())
    assert five.detected
    kept, gone, also_gone, untested = control_onsets([eleven, five, five, none], level=0.05)
    assert kept.detected
    assert kept.p_adjusted == pytest.approx(3 * eleven.p_value)
    assert (gone.detected, gone.onset_after, gone.onset_by, gone.peak_step) == (False, None, None, None)
    assert gone.p_adjusted == pytest.approx(2 * five.p_value)
    assert "for 3 quantities together" in gone.reason
    assert (also_gone, untested) == (gone, none)
    assert control_onsets([five], level=0.05)[0].detected
