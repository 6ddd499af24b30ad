"""Three forms of one contrast, where the truth is known, and what the choice of permutations adds."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.contrasts import (
    LEAST_FACTOR,
    geometry,
    log_contrast,
    log_share,
    mean_contrast,
    share_contrasts,
)
from rare_neurons.numerics.evidence.strata_pair import RunInfluence, StrataPair
from rare_neurons.numerics.grid.jackknife import two_way_variance
from tests.numerics.evidence.worlds import exactly, mean_square


def pair(rare, common, placebo_rare=(1.0, 1.0), placebo_common=(1.0, 1.0)):
    return StrataPair(*(exactly(x) for x in (rare, common, placebo_rare, placebo_common)))


def run(square, growth=None):
    return RunInfluence(square, growth or square, square)


def test_the_logarithm_is_that_of_the_root_beyond_the_placebo():
    found = log_contrast(pair(16.0, 2.0, (3.0, 5.0), (1.5, 2.5)))
    assert float(found.value.value) == pytest.approx(np.log(2))
    assert (found.variance, found.freedom) == (0.0, 1)  # permutations differ by a factor that strata share


def test_permutations_add_the_variance_that_their_choice_has():
    rng = np.random.default_rng(0)
    drawn = 10 + rng.standard_normal((2000, 2, 8))
    found = [log_contrast(pair(1.0, 1.0, *one)) for one in drawn]
    values = [float(one.value.value) for one in found]
    # 8 permutations of sd .1 in each stratum; 2,000 draws give a variance to .03.
    assert np.var(values) == pytest.approx(0.1**2 / 16, rel=0.1)
    assert np.mean([one.variance for one in found]) == pytest.approx(np.var(values), rel=0.1)


def test_the_geometry_is_the_placebos_ratio_of_all_runs_with_its_error():
    rng = np.random.default_rng(1)
    ratios, variances = [], []
    for rare, common in zip(*10 + rng.standard_normal((2, 1000, 2, 4)), strict=True):
        allowed = geometry([run(pair(1.0, 1.0, 4 * rare[k], common[k])) for k in range(2)])
        ratios.append(float(allowed.ratio.value))
        variances.append(allowed.variance)
    assert "2 times the effect on common ones, the placebo's ratio" in allowed.origin
    assert allowed.freedom == 6
    # Relative sd .1 in either stratum, eight permutations; 1,000 draws give a variance to .045.
    assert np.var(ratios) == pytest.approx(16 * 2 * 0.1**2 / 8, rel=0.15)
    assert np.mean(variances) == pytest.approx(np.var(ratios), rel=0.15)


def test_where_the_placebo_is_not_resolved_the_factor_is_the_declared_one():
    allowed = geometry([run(pair(1.0, 1.0, (-1.0, 0.5), (1.0, 1.0)))])
    assert float(allowed.ratio.value) == LEAST_FACTOR**2
    assert (allowed.variance, "not resolved" in allowed.origin) == (0.0, True)


def test_the_share_is_what_common_tokens_do_not_explain():
    runs = [run(pair(12.0, 1.5, (4.0, 4.0)), pair(growth, 1.0)) for growth in (8.0, 16.0)]
    allowed = geometry(runs)
    own, _ = share_contrasts(runs, [], allowed)
    assert [float(one.value.value) for one in own] == [0.5, 0.75]
    logs = [log_share(one.growth, allowed, 2) for one in runs]
    np.testing.assert_allclose([1 - np.exp(-2 * float(one.value.value)) for one in logs], [0.5, 0.75])


def test_a_silent_controls_rare_part_counts_in_the_unit_of_the_runs():
    runs = [run(pair(8.0, 1.0, (4.0, 4.0))), run(pair(12.0, 1.0, (4.0, 4.0)))]
    loud, silent = run(pair(5.0, 1.0)), run(pair(-0.5, 2.0))
    _, other = share_contrasts(runs, [loud, silent], geometry(runs))
    assert [float(one.value.value) for one in other] == pytest.approx([1 - 4 / 5, -0.05])


def test_shares_of_runs_have_one_error_of_the_geometry_together():
    runs = [run(pair(8.0, 1.0, (3.0, 5.0), (1.0, 1.1))) for _ in range(3)]
    allowed = geometry(runs)
    own, _ = share_contrasts(runs, [], allowed)
    of_mean = sum(one.variance for one in own) / 9
    assert of_mean == pytest.approx(allowed.variance / 64)
    logs = [log_share(one.growth, allowed, 3) for one in runs]
    assert sum(one.variance for one in logs) / 9 == pytest.approx(
        allowed.variance / (2 * float(allowed.ratio.value)) ** 2
    )


def test_a_share_has_an_error_even_where_common_tokens_have_no_effect():
    rng = np.random.default_rng(2)
    squares = [
        StrataPair(mean_square(np.full(20, 3.0), rng), mean_square(np.zeros(20), rng), *[exactly([-1.0, 1.0])] * 2)
    ]
    ((found,), _) = share_contrasts([run(one) for one in squares], [], geometry([run(one) for one in squares]))
    assert float(found.value.value) == pytest.approx(1, abs=0.3)
    assert 0 < float(two_way_variance(found.value)) < 0.3


def test_means_are_taken_beyond_the_placebo_and_on_common_tokens_times_the_root_of_the_ratio():
    one = pair(5.0, 1.0, (0.5, 1.5), (0.0, 0.5))
    allowed = geometry([run(pair(1.0, 1.0, (4.0, 4.0)))])
    for sign, value in ((1, 5 - 2 - (1 - 0.5)), (-1, 5 + 2 - (1 + 0.5))):
        assert float(mean_contrast(one, allowed, sign).value.value) == pytest.approx(value)
    placebo = [0.5, 1.5 - 1.0]
    assert mean_contrast(one, allowed, 1).variance == pytest.approx(np.var(placebo, ddof=1) / 2)
