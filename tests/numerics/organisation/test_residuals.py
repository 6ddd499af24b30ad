import numpy as np
import pytest

from rare_neurons.numerics.organisation.residuals import confounder_design, correlations, standardised_residuals


def drawn(n=600, seed=0):
    rng = np.random.default_rng(seed)
    return rng, -rng.exponential(2, n), -rng.exponential(2, n), rng.integers(16, 127, n)


def test_what_follows_frequency_or_position_is_gone_and_what_does_not_stays():
    rng, target, source, position = drawn()
    own = rng.normal(size=(600, 2))
    explained = np.stack([np.where(target < np.median(target), 3.0, -1.0), 0.2 * source**2, 0.1 * position], axis=1)
    design = confounder_design(target, source, position)
    left = standardised_residuals(np.concatenate([explained + 5, own], axis=1), design)
    assert np.abs(left[:, 1:3]).max() == 0  # the square and the position are columns of the design
    np.testing.assert_allclose(left[:, 3:].mean(0), 0, atol=1e-12)
    np.testing.assert_allclose((left[:, 3:] ** 2).mean(0), 1, rtol=1e-12)
    np.testing.assert_allclose(design.T @ left, 0, atol=1e-9)
    # 600 rows less 44 columns: what is left of a neuron's own variation correlates with it at the root of 556/600
    assert np.corrcoef(left[:, 3], own[:, 0])[0, 1] == pytest.approx(np.sqrt(556 / 600), abs=0.02)


def test_a_step_at_the_median_is_nearly_explained_by_the_bins():
    _, target, source, position = drawn()
    step = (target < np.quantile(target, 0.5)).astype(float)[:, None]
    assert np.abs(standardised_residuals(step, confounder_design(target, source, position))).max() == 0


def test_correlations_are_those_of_numpy():
    rng, *_ = drawn()
    a = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    np.testing.assert_allclose(correlations(standardised_residuals(a)), np.corrcoef(a.T), atol=1e-12)


def test_a_silent_neuron_correlates_with_nothing():
    rng, *_ = drawn()
    a = rng.normal(size=(50, 3))
    a[:, 1] = 4.0
    found = correlations(standardised_residuals(a))
    assert found[1].tolist() == [0, 0, 0]


def test_too_few_rows_and_missing_values_are_refused():
    rng, target, source, position = drawn(80)
    with pytest.raises(ValueError, match="80 rows for a design of 44 columns"):
        standardised_residuals(rng.normal(size=(80, 3)), confounder_design(target, source, position))
    target[3] = -np.inf
    with pytest.raises(ValueError, match="log_p_target of row 3 is -inf"):
        confounder_design(target, source, position)
