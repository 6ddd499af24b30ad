"""What all measurements of a checkpoint share: the rows' order, weights and streams."""

import numpy as np
import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.activity.scene import mlp_matrix
from rare_neurons.models.activity.set_effects import measure_sets
from tests.models.activity.made import PANEL, STRATA, probed, scene
from tests.models.tiny import D_MODEL, N_NEURONS, NAMES, random_model


@pytest.mark.parametrize("name", NAMES)
def test_matrices_have_a_row_for_each_neuron(name):
    model = random_model(name)
    for layer in range(2):
        for matrix in ("W_in", "W_out"):
            assert mlp_matrix(model, layer, matrix).shape == (N_NEURONS, D_MODEL)


def test_output_directions_are_those_of_the_readout():
    for name in ("gpt2", "gpt_neox-parallel"):
        one = scene(name)
        np.testing.assert_array_equal(mlp_matrix(one.model, one.last, "W_out"), one.block.W_out.numpy())


def test_streams_hold_the_targets_and_rows_the_other_positions():
    one = scene()
    for stratum in STRATA:
        places, stream = one.targets_of(stratum), one.stream_of(stratum)
        chosen = one.targets[places]
        assert set(PANEL.stratum[chosen]) == {PANEL.strata.index(stratum)}
        assert one.vocabulary.order[stream.target].tolist() == PANEL.target_id[chosen].tolist()
    everything = one.run.captured.activations.double().numpy()
    assert len(everything) == len(one.rows.context) + len(one.targets)
    np.testing.assert_array_equal(one.activations(np.array([3, 0])), everything[[3, 0]])


def test_a_set_of_one_has_an_effect_near_its_influence_on_part_b():
    """On other targets of the same part: equal where all of them are taken."""
    one = scene(targets=10_000)
    for stratum in STRATA:
        stream = one.stream_of(stratum)
        delta = torch.from_numpy(probed().activation_mean) - stream.activations
        found = measure_sets(stream, delta, [[i] for i in range(N_NEURONS)])
        np.testing.assert_allclose(found.total, probed().influence["influence_b"][stratum], rtol=0, atol=1e-9)


def test_a_stratum_without_targets_in_the_pass_is_refused():
    one = scene()
    empty = type(one)(**{**vars(one), "targets": np.empty(0, dtype=np.int64)})
    with pytest.raises(RequestError, match=r"stratum 'rare' has no target of part B in 240 contexts; raise activity"):
        empty.targets_of("rare")
