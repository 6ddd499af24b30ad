"""Limits: what the rules are asked with unless told."""

import numpy as np

from rare_neurons.numerics.integrity.judge import judge_checkpoints
from rare_neurons.numerics.integrity.limits import DEFAULT_LIMITS, IntegrityLimits


def test_a_limit_reaches_its_rule():
    place = np.array([0, 1, 2, 6, 4, 5, 6.5, 7, 8, 9])
    facts = {"digests": [[str(x)] for x in place], "norms": np.ones((10, 1)), "tensors": [("a", (1,))]}
    projections = place[:, None, None]

    def found(limits):
        return {v.step for v in judge_checkpoints(range(10), projections, **facts, limits=limits) if v.quarantined}

    # The detour of step 3 is (4 + 2) / 2.
    assert found(DEFAULT_LIMITS) == {3}
    assert found(IntegrityLimits(max_detour=3.5)) == set()
