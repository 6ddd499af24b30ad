import numpy as np
import pytest

from rare_neurons.numerics.kinds.positional import position_bias, position_information


def drawn(share, n_contexts, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((n_contexts, *share.shape)) < share).sum(0)


def test_a_planted_dependence_has_its_known_information():
    share = np.full((112, 1), 0.1)
    share[48:80] = 0.9
    mean = (32 * 0.9 + 80 * 0.1) / 112
    kl = lambda p: p * np.log(p / mean) + (1 - p) * np.log((1 - p) / (1 - mean))  # noqa: E731
    truth = (32 * kl(0.9) + 80 * kl(0.1)) / 112
    assert truth == pytest.approx(0.3081, abs=5e-5)
    counts = drawn(share, 4000)
    found = position_information(counts, 4000) - position_bias(counts, 4000)
    assert found[0] == pytest.approx(truth, abs=2e-3)  # sd .0007
    exact = position_information(np.round(share * 1000).astype(int), 1000)
    assert exact[0] == pytest.approx(truth, abs=1e-12)


def test_noise_has_the_bias_on_average_and_reaches_the_published_threshold_at_ten_contexts():
    counts = drawn(np.full((100, 400), 0.3), 50)
    found, bias = position_information(counts, 50), position_bias(counts, 50)
    assert found.mean() == pytest.approx(bias.mean(), rel=0.05)  # the next order is 2 %
    few = drawn(np.full((100, 400), 0.3), 10)
    assert np.median(position_information(few, 10)) > 0.05


def test_neurons_that_never_change_have_none():
    counts = np.array([[0, 7], [0, 7]])
    assert position_information(counts, 7).tolist() == [0, 0]
    assert position_bias(counts, 7).tolist() == [0, 0]
