import numpy as np
import pytest
from scipy.stats import spearmanr

from rare_neurons.numerics.organisation.lineage import half_jaccard, lineage, top_sets
from tests.reference.lineage import slow_chance, slow_lineage, slow_top

STEPS = [0, 1, 2, 4, 8, 16]


def _influence(seed, n_neurons=12, pull=2.0):
    """Noise at the start and a fixed pattern at the end, so that neurons are born, lost and born again."""
    rng = np.random.default_rng(seed)
    pattern = pull * rng.standard_normal(n_neurons)
    return np.linspace(0, 1, len(STEPS))[:, None] * pattern + rng.standard_normal((len(STEPS), n_neurons))


@pytest.mark.parametrize("seed", range(8))
def test_lineage_equals_plain_sets(seed):
    influence = _influence(seed)
    found = lineage(STEPS, influence, 4)
    jaccard, lives = slow_lineage(STEPS, influence.tolist(), 4)
    np.testing.assert_allclose(found.jaccard, jaccard)
    assert found.reference_step == 16
    assert set(zip(found.neurons.tolist(), found.signs.tolist(), strict=True)) == slow_top(influence[-1].tolist(), 4)
    rows = zip(found.neurons, found.birth, found.settled, found.persistence, strict=True)
    assert {int(neuron): (birth, settled, share) for neuron, birth, settled, share in rows} == lives


def test_chance_equals_every_set_counted():
    influence = _influence(3, n_neurons=9)
    found = lineage(STEPS, influence, 4)
    overlap, jaccard, tail = slow_chance(9, 4)
    assert found.expected_overlap == pytest.approx(overlap)
    assert found.expected_jaccard == pytest.approx(jaccard)
    np.testing.assert_allclose(found.overlap_p, [tail[int(shared)] for shared in found.overlap])


def test_independent_steps_share_what_chance_says():
    rng = np.random.default_rng(4)
    found = lineage(np.arange(401), rng.standard_normal((401, 60)), 12)
    shared = found.overlap[:-1]
    # Hypergeometric mean 2.4 and standard deviation 1.25.
    assert shared.mean() == pytest.approx(found.expected_overlap, abs=4 * 1.25 / 20)
    assert found.same_sign_overlap[:-1].mean() == pytest.approx(found.expected_overlap / 2, abs=0.25)
    assert np.mean(found.overlap_p[:-1] <= 0.05) <= 0.07
    assert np.nanmean(found.jaccard_previous) < found.expected_jaccard


def test_a_neuron_that_changes_sign_was_not_a_member_before():
    influence = np.array([[5.0, -4.0, 0.1, 0.0], [5.0, 4.0, 0.1, 0.0]])
    found = lineage([1, 2], influence, 2)
    np.testing.assert_array_equal(found.overlap, [2, 2])
    np.testing.assert_array_equal(found.same_sign_overlap, [1, 2])
    np.testing.assert_allclose(found.jaccard, [1 / 3, 1])
    np.testing.assert_array_equal(found.birth, [1, 2])
    np.testing.assert_allclose(found.persistence, [1, 1])


def test_a_neuron_that_leaves_and_returns():
    influence = np.array([[3, 1, 0.1], [0.1, 2, 3], [3, 1, 0.1], [3, 1, 0.1]])
    found = lineage([0, 1, 2, 4], influence, 1)
    assert (found.birth[0], found.settled[0], found.persistence[0]) == (0, 2, 0.75)
    np.testing.assert_allclose(found.jaccard_previous, [np.nan, 0, 0, 1])


def test_missing_steps_are_left_out_everywhere():
    influence = _influence(5)
    holed = np.insert(influence, 3, np.nan, axis=0)
    full, found = lineage(STEPS, influence, 4), lineage([0, 1, 2, 3, 4, 8, 16], holed, 4)
    np.testing.assert_array_equal(found.used, [True, True, True, False, True, True, True])
    for name in ("jaccard", "jaccard_previous", "overlap", "overlap_p", "rank_correlation"):
        column = getattr(found, name)
        assert np.isnan(column[3])
        np.testing.assert_allclose(np.delete(column, 3), getattr(full, name))
    np.testing.assert_array_equal(found.birth, full.birth)
    np.testing.assert_allclose(found.persistence, full.persistence)


def test_rank_correlations_are_spearmans():
    influence = np.round(_influence(6), 1)
    found = lineage(STEPS, influence, 3)
    for row, signed, absolute in zip(influence, found.rank_correlation, found.rank_correlation_abs, strict=True):
        assert signed == pytest.approx(spearmanr(row, influence[-1]).statistic)
        assert absolute == pytest.approx(spearmanr(abs(row), abs(influence[-1])).statistic)
    constant = lineage([0, 1], [[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]], 1)
    assert np.isnan(constant.rank_correlation[0])


def test_another_reference_step_counts_lives_up_to_it():
    influence = np.array([[3, 1, 0], [3, 1, 0], [0, 1, 3.0]])
    found = lineage([0, 1, 2], influence, 1, reference_step=1)
    assert found.neurons.tolist() == [0]
    assert (found.birth[0], found.settled[0], found.persistence[0]) == (0, 0, 1.0)
    np.testing.assert_allclose(found.jaccard, [1, 1, 0])


def test_half_jaccard_is_the_ceiling_of_noise():
    rng = np.random.default_rng(7)
    truth = 3 * rng.standard_normal((5, 200))
    quiet = half_jaccard(truth, truth + 1e-3 * rng.standard_normal(truth.shape), 20)
    loud = half_jaccard(truth + 3 * rng.standard_normal(truth.shape), truth + 3 * rng.standard_normal(truth.shape), 20)
    assert quiet.min() > 0.9
    assert loud.max() < 0.6
    np.testing.assert_allclose(half_jaccard(truth, -truth, 20), 0)


def test_top_sets_order_ties_by_index():
    np.testing.assert_array_equal(top_sets([[1.0, -2.0, 2.0, 0.0]], 3), [[1, 2, 0]])


def test_wrong_arguments_are_refused():
    influence = _influence(8)
    with pytest.raises(ValueError, match="k=13 neurons, but there are 12; choose 1 to 12"):
        lineage(STEPS, influence, 13)
    with pytest.raises(ValueError, match="neuron 1 in row 0 is not finite"):
        top_sets([[0.0, np.nan]], 1)
    with pytest.raises(ValueError, match=r"must be \[step, neuron\] with 3 steps"):
        lineage(STEPS[:3], influence, 2)
    with pytest.raises(ValueError, match="none of 6 steps has finite influences"):
        lineage(STEPS, np.full((6, 4), np.nan), 2)
    with pytest.raises(ValueError, match="reference step 3 is not among"):
        lineage(STEPS, influence, 2, reference_step=3)
    with pytest.raises(ValueError, match="steps must increase"):
        lineage(STEPS[::-1], influence, 2)
