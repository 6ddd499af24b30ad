import numpy as np
import pytest
from scipy.stats import ttest_1samp

from rare_neurons.numerics.evidence.comparison import Decision, compare, directed_p


def test_one_part_is_students_test():
    x = np.array([0.4, 1.9, 0.7, 1.1])
    found = compare(x.mean(), [(x.var(ddof=1) / 4, 3)], decision=Decision(confidence=0.95), n_runs=4)
    plain = ttest_1samp(x, 0)
    assert found.p_value == pytest.approx(plain.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(plain.confidence_interval(0.95)))
    assert (found.status, found.degrees_of_freedom) == ("tested", 3)


def test_equal_parts_add_their_degrees_of_freedom():
    found = compare(1.0, [(0.5, 4), (0.5, 4), (0.0, 1)], decision=Decision(), n_runs=3)
    assert found.degrees_of_freedom == pytest.approx(8)
    assert found.standard_error == 1


def test_directions_share_one_two_sided_p():
    rise, fall, either = (directed_p(1.3, 7, way) for way in ("rise", "fall", "either"))
    assert rise + fall == pytest.approx(1)
    assert either == pytest.approx(2 * rise)


def test_a_one_sided_minimal_effect_is_smaller():
    rise, either = (compare(0.0, [(1.0, 5)], decision=Decision(direction=w), n_runs=3) for w in ("rise", "either"))
    assert rise.minimal_effect < either.minimal_effect


@pytest.mark.parametrize("variance", [0.0, np.nan])
def test_without_variance_nothing_is_tested(variance):
    found = compare(1.0, [(variance, 2)], decision=Decision(), n_runs=3)
    assert (found.status, found.p_value) == ("undefined", None)
    assert "variance" in found.reason


@pytest.mark.parametrize("how", [{"direction": "up"}, {"level": 5}, {"confidence": 0.0}])
def test_impossible_decisions_are_refused(how):
    with pytest.raises(ValueError, match=r"known: either|must lie in"):
        Decision(**how)
