import numpy as np
import pytest

from rare_neurons.numerics.kinds.readout_weights import entropy_candidates, read_weights


def made(seed=0, vocab=500, d=100, n=60):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(vocab, d))
    return rng, rows, rng.normal(size=(n, d))


@pytest.mark.parametrize("centres", [True, False])
def test_statistics_are_those_of_plain_cosines_and_singular_vectors(centres):
    _, rows, w = made()
    found = read_weights(w, rows, norm_centres=centres)
    if centres:
        w, rows = w - w.mean(1, keepdims=True), rows - rows.mean(1, keepdims=True)
    cosine = (w / np.linalg.norm(w, axis=1)[:, None]) @ (rows / np.linalg.norm(rows, axis=1)[:, None]).T
    np.testing.assert_allclose(found.norm, np.linalg.norm(w, axis=1))
    np.testing.assert_allclose(found.logit_variance, 100 * cosine.var(1), rtol=1e-9)
    last = np.linalg.svd(rows - rows.mean(0))[2][-2 if centres else -1]
    np.testing.assert_allclose(found.null_share, np.abs(w @ last) / found.norm, atol=1e-7)
    assert found.null_chance == pytest.approx(np.sqrt(1 / (99 if centres else 100)))


def test_random_directions_are_at_chance():
    _, rows, w = made(n=3000)
    found = read_weights(w, rows, norm_centres=True)
    assert np.sqrt((found.null_share**2).mean()) == pytest.approx(found.null_chance, rel=0.05)
    assert found.logit_variance.mean() == pytest.approx(1, abs=0.05)


def test_neurons_that_write_where_nothing_is_read_are_the_candidates():
    _, rows, w = made(d=200)
    rows[:, -2:] *= 0.01
    w[[7, 31]] *= 0.05
    w[[7, 31], -2:] += 6
    found = read_weights(w, rows, norm_centres=False)
    assert set(entropy_candidates(found, 2).tolist()) == {7, 31}
    assert found.logit_variance[[7, 31]].max() < 0.2 < np.delete(found.logit_variance, [7, 31]).min()
