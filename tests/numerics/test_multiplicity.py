import numpy as np
import pytest

from rare_neurons.numerics.multiplicity import control_multiplicity
from tests.reference.onset import slow_holm


def test_holm_equals_its_definition():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 30):
        p_values = rng.uniform(0, 0.2, n)
        np.testing.assert_allclose(control_multiplicity(p_values), slow_holm(p_values.tolist()), atol=1e-15)


def test_missing_p_values_are_no_tests():
    np.testing.assert_allclose(control_multiplicity([0.01, None, 0.04, np.nan]), [0.02, np.nan, 0.04, np.nan])
    assert control_multiplicity([]).size == 0
    assert np.isnan(control_multiplicity([None])).all()


def test_order_of_strictness():
    p_values = [0.001, 0.02, 0.03, 0.2]
    fdr, holm, bonferroni = (control_multiplicity(p_values, method) for method in ("fdr", "holm", "bonferroni"))
    assert np.all(p_values <= fdr)
    assert np.all(fdr <= holm)
    assert np.all(holm <= bonferroni)
    np.testing.assert_allclose(fdr, [0.004, 0.04, 0.04, 0.2])


def test_holm_keeps_the_family_wise_error():
    p_values = np.random.default_rng(1).uniform(size=(4000, 5))
    false_alarm = np.mean([control_multiplicity(row).min() <= 0.05 for row in p_values])
    assert 0.03 <= false_alarm <= 0.06
    assert np.mean(p_values.min(axis=1) <= 0.05) > 0.15


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="unknown multiplicity method 'sidak'; known: holm, bonferroni, fdr"):
        control_multiplicity([0.1], "sidak")
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got \[1\.2\]"):
        control_multiplicity([1.2, 0.1])
