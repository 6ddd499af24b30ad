from dataclasses import replace

import numpy as np

from rare_neurons.numerics.kinds.census import LayerWeights, take_census
from tests.numerics.kinds.made import common_gram, counts_of, occurs, zipf_text

TEXT = zipf_text(n_contexts=240)


def layer():
    """Neurons: dead, token detector that suppresses, positional, noise, silent noise."""
    rng = np.random.default_rng(0)
    shape = TEXT.token_ids.shape
    token = common_gram(TEXT, 1, 10)
    position = np.arange(shape[1])[None] >= 26
    active = [
        np.zeros(shape, dtype=bool),
        occurs(TEXT, token),
        rng.random(shape) < np.where(position, 0.9, 0.1),
        rng.random(shape) < 0.02,
        rng.random(shape) < 0.02,
    ]
    unembedding, embedding = rng.normal(size=(2, 80, 30))
    w_out = rng.normal(size=(5, 30))
    w_out[1] = -unembedding[token[0]]
    w_out[4] *= 1e-3
    weights = LayerWeights(w_out, unembedding, embedding, norm_centres=False, sees_current_token_alone=False)
    return counts_of(TEXT, np.stack(active, axis=2), listed=0.1), weights, token


def test_each_neuron_is_what_was_planted():
    counts, weights, token = layer()
    dead, detector, positional, noise, silent = take_census(1, counts, TEXT, weights)
    assert [row.kind for row in (dead, detector, positional, noise, silent)] == [
        "dead", "token_detector", "other", "other", "other",
    ]  # fmt: skip
    assert dead.most_active == 3 / TEXT.n_positions.sum()
    assert noise.most_active is None
    assert (detector.triggers, detector.trigger_length, detector.suppressor) == (list(token), 1, True)
    assert detector.trigger_out == 0
    assert [row.positional for row in (dead, detector, positional, noise, silent)] == [False, False, True, False, False]
    assert [row.silent for row in (dead, detector, positional, noise, silent)] == [False] * 4 + [True]
    assert (noise.trigger_out, noise.suppressor, noise.counted, noise.layer, noise.neuron) == (None, False, True, 1, 3)


def test_a_layer_that_sees_the_current_token_alone_is_reported_and_not_counted():
    counts, weights, _ = layer()
    rows = list(take_census(0, counts, TEXT, replace(weights, sees_current_token_alone=True)))
    assert {row.counted for row in rows} == {False}
    assert rows[1].kind == "token_detector"
