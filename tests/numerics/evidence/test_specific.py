import numpy as np
import pytest

from benchmarks.calibration.evidence_frequency import KINDS, shift_effects
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.specific import judge_specific
from rare_neurons.numerics.evidence.strata_pair import RunInfluence, StrataPair
from rare_neurons.numerics.grid.leave_outs import stack
from tests.numerics.evidence.worlds import exactly, mean_square, means


def influence(rng, *, rare, common, placebo=(1.0, 1.0), signed=(0.0, 0.0), n=60):
    """One run whose rms influence is as given, in units of the noise of a cell's mean."""

    def square(rms):
        return mean_square(rms * rng.choice([-1.0, 1.0], n), rng)

    def mean(value):
        return means([value], rng, size=0.1)[0]

    permuted = [stack([square(rms) for _ in range(4)]) for rms in placebo]
    means_permuted = [stack([mean(0.0) for _ in range(4)]) for _ in placebo]
    squares = StrataPair(square(rare), square(common), *permuted)
    return RunInfluence(
        squares,
        squares,
        StrataPair(mean(signed[0]), mean(signed[1]), *means_permuted),
    )


def several(n_runs, rng, *, scatter=0.1, **sizes):
    """Runs that scatter by a common factor and one per stratum."""
    out = []
    for _ in range(n_runs):
        f = np.exp(scatter * rng.standard_normal(3))
        given = {**sizes, "rare": sizes["rare"] * f[0] * f[1], "common": sizes["common"] * f[0] * f[2]}
        out.append(influence(rng, **given))
    return out


def test_a_tripled_rare_part_is_specific():
    rng = np.random.default_rng(0)
    found = judge_specific(
        runs=several(3, rng, rare=6.0, common=2.0, placebo=(2.0, 2.0)), controls=several(3, rng, rare=2.0, common=2.0)
    )
    assert (found.form, found.form_reason) == ("log", "")
    assert found.seeds.estimate == pytest.approx(np.log(3), abs=0.25)
    assert found.p_value <= 0.05
    assert found.p_value == pytest.approx(max(found.seeds.p_value, found.control.p_value))


def test_general_growth_is_not_specific_even_where_rare_is_always_twice_common():
    rng = np.random.default_rng(1)
    hits = [
        judge_specific(
            runs=several(3, rng, rare=8.0, common=4.0, placebo=(8.0, 4.0), n=25),
            controls=several(2, rng, rare=4.0, common=2.0, placebo=(4.0, 2.0), n=25),
        ).p_value
        for _ in range(40)
    ]
    assert np.mean(np.array(hits) <= 0.05) <= 0.1


def test_beside_silent_controls_the_growth_on_rare_tokens_is_compared():
    rng = np.random.default_rng(2)
    runs = several(3, rng, rare=6.0, common=2.0, placebo=(2.0, 2.0))
    found = judge_specific(runs=runs, controls=several(2, rng, rare=0.0, common=0.0))
    assert found.form == "share"
    assert "of 2 controls are resolved" in found.form_reason
    assert "must exceed 1 times the effect on common ones, the placebo's ratio" in found.form_reason
    assert found.seeds.estimate == pytest.approx(np.log(3), abs=0.25)
    assert found.control.estimate == pytest.approx(1 - 1 / 9, abs=0.1)
    assert found.p_value <= 0.05


def test_a_rare_part_of_any_signs_is_specific_where_common_tokens_and_placebo_show_nothing():
    rng = np.random.default_rng(8)
    runs = several(3, rng, rare=3.0, common=0.0, placebo=(0.0, 0.0))
    found = judge_specific(runs=runs, controls=several(2, rng, rare=0.0, common=0.0, placebo=(0.0, 0.0)))
    assert (found.form, "3 of 3 runs are not resolved" in found.form_reason) == ("share", True)
    assert "must exceed 2 times" in found.form_reason
    assert found.seeds.estimate == pytest.approx(1, abs=0.3)
    assert found.p_value <= 0.05


def test_growth_in_the_declared_proportion_is_not_specific_where_the_placebo_shows_nothing():
    rng = np.random.default_rng(9)
    silent = {"placebo": (0.0, 0.0), "n": 25}
    hits = [
        judge_specific(
            runs=several(3, rng, rare=4.0, common=2.0, **silent),
            controls=several(2, rng, rare=0.0, common=0.0, **silent),
        ).p_value
        for _ in range(40)
    ]
    assert np.mean(np.array(hits) <= 0.05) <= 0.1


def test_controls_that_do_the_same_on_rare_tokens_alone_prevent_it():
    rng = np.random.default_rng(10)
    silent = {"rare": 4.0, "common": 0.0, "placebo": (0.0, 0.0)}
    found = judge_specific(runs=several(3, rng, **silent), controls=several(2, rng, **silent))
    assert (found.form, found.seeds.p_value <= 0.05) == ("share", True)
    assert found.p_value > 0.1


def test_where_not_even_the_rare_part_is_resolved_means_are_compared():
    rng = np.random.default_rng(11)
    runs = several(3, rng, rare=0.0, common=0.0, signed=(1.0, 0.2))
    found = judge_specific(runs=runs, controls=several(2, rng, rare=0.0, common=0.0))
    assert found.form == "linear"
    assert "on rare tokens is not resolved in " in found.form_reason
    assert "do not see effects of mixed signs" in found.form_reason
    assert found.seeds.estimate == pytest.approx(0.8, abs=0.15)
    assert found.p_value <= 0.05


def test_tests_in_opposite_directions_do_not_add_up():
    rng = np.random.default_rng(4)
    runs = several(3, rng, rare=0.0, common=0.0, signed=(1.0, 0.0))
    found = judge_specific(runs=runs, controls=several(3, rng, rare=0.0, common=0.0, signed=(3.0, 0.0)))
    assert max(found.seeds.p_value, found.control.p_value) < 0.05
    assert found.p_value > 0.5


def test_without_controls_the_tier_is_not_tested():
    rng = np.random.default_rng(5)
    found = judge_specific(runs=several(3, rng, rare=6.0, common=2.0), controls=[], decision=Decision())
    assert (found.form, found.seeds.status, found.control.status) == ("log", "tested", "too_few_controls")
    assert found.p_value is None
    few = judge_specific(runs=several(2, rng, rare=6.0, common=2.0), controls=[])
    assert few.seeds.status == "too_few_runs"


def test_a_single_permutation_is_refused():
    one = StrataPair(exactly(1.0), exactly(1.0), exactly([1.0]), exactly([1.0]))
    with pytest.raises(ValueError, match="1 and 1 placebo permutations"):
        judge_specific(runs=[RunInfluence(one, one, one)] * 3, controls=[])


@pytest.mark.parametrize("kind", KINDS)
def test_a_shift_of_base_rates_is_of_second_order_within_strata(kind):
    whole, within = shift_effects(kind, 1e-3)
    assert (whole[0] > 1e-3, whole[1] < 0) == (True, True)  # rare targets gain what common ones lose
    assert np.abs(within / whole).max() < 1e-3
    # log E e^f is a cumulant series: twice the shift, four times what is within the stratum.
    assert shift_effects(kind, 2e-3)[1] == pytest.approx(4 * within, rel=0.02, abs=1e-12)


def test_a_pure_frequency_shift_is_not_specific():
    # In units of the noise of a cell's mean: whole effects of 8 on rare tokens leave next to nothing within.
    rng, (whole, within) = np.random.default_rng(5), shift_effects(KINDS[0], 1e-3)
    rare, common = 8 * np.abs(within) / whole[0]
    silent = {"placebo": (0.0, 0.0), "n": 25}
    hits = [
        judge_specific(
            runs=several(3, rng, rare=rare, common=common, **silent),
            controls=several(2, rng, rare=0.0, common=0.0, **silent),
        ).p_value
        for _ in range(60)
    ]
    # 60 draws at a nominal 0.05: 99.9 % of binomial draws are at most 9
    assert np.sum(np.array(hits) <= 0.05) <= 9
