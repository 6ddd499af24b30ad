import numpy as np

from tests.numerics.kinds.made import counts_of, zipf_text


def test_places_are_those_of_each_listed_neuron():
    text = zipf_text()
    rng = np.random.default_rng(0)
    active = rng.random((*text.token_ids.shape, 3)) < [0.05, 0.9, 0.01]
    counts = counts_of(text, active)
    active[:, : text.min_position] = False
    assert counts.listed.tolist() == [True, False, True]
    assert counts.n_neurons == 3
    for neuron in (0, 2):
        assert counts.places(neuron).tolist() == np.flatnonzero(active[:, :, neuron]).tolist()
    assert counts.places(1).tolist() == []
