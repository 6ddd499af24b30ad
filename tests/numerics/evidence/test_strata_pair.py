import numpy as np
import pytest

from rare_neurons.numerics.evidence.strata_pair import StrataPair, resolved
from tests.numerics.evidence.worlds import exactly, mean_square


def test_both_strata_need_as_many_permutations_and_at_least_two():
    one, two, three = exactly([1.0]), exactly([1.0, 2.0]), exactly([1.0, 2.0, 3.0])
    assert StrataPair(exactly(1.0), exactly(1.0), two, two).n_permutations() == 2
    for rare, common in ((one, one), (two, three)):
        with pytest.raises(ValueError, match=r"\d and \d placebo permutations; both strata need at least 2"):
            StrataPair(exactly(1.0), exactly(1.0), rare, common).n_permutations()


def test_resolved_means_far_above_its_error_and_positive_whatever_is_left_out():
    rng = np.random.default_rng(0)
    strong, silent = mean_square(np.full(20, 3.0), rng), mean_square(np.zeros(20), rng)
    assert resolved(strong)
    assert not resolved(silent)
    assert not resolved(strong, silent)
