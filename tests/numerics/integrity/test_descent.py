"""A run descends from its own start: the cosine estimated, with the error it says."""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.descent import judge_descent
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor

SIZES = (3000, 1500, 60)


def test_descent_from_the_own_start_or_another_seeds():
    rng = np.random.default_rng(3)
    starts = [[rng.standard_normal(n) for n in SIZES] for _ in range(3)]
    early = [w + 0.3 * rng.standard_normal(len(w)) for w in starts[0]]
    early_print, *prints = (
        np.array([fingerprint_tensor(f"t{j}", w, n_projections=2048).projection for j, w in enumerate(weights)])
        for weights in (early, *starts)
    )
    right = judge_descent(early_print, own_start=prints[0], other_starts=np.array(prints[1:]))
    wrong = judge_descent(early_print, own_start=prints[1], other_starts=np.array([prints[0], prints[2]]))
    unclear = judge_descent(early_print, own_start=prints[1], other_starts=np.array([prints[2]]))
    assert (right.descends, wrong.descends, unclear.descends) == (True, False, None)
    assert abs(right.own - 1 / np.hypot(1, 0.3)) < 4 * right.standard_error
    with pytest.raises(ValueError, match="starts of shape"):
        judge_descent(early_print, own_start=prints[0], other_starts=np.empty((0, 3, 2048)))


def test_the_standard_error_of_a_descent_is_that_of_its_estimate():
    rng, differences, errors = np.random.default_rng(4), [], []
    start, other, noise = rng.standard_normal((3, 2, 300))
    checkpoint = 0.5 * start + 0.3 * other + noise  # cosines about 0.4 and 0.3
    for seed in range(400):
        prints = [
            np.array([fingerprint_tensor(f"t{j}", x, seed=seed).projection for j, x in enumerate(weights)])
            for weights in (checkpoint, start, other)
        ]
        found = judge_descent(prints[0], own_start=prints[1], other_starts=prints[2][None])
        differences.append(found.own - found.best_other)
        errors.append(found.standard_error)
    assert np.std(differences) == pytest.approx(np.mean(errors), rel=0.12)
