"""Effects along the log unigram and on the entropy, against evaluation over the whole vocabulary."""

import numpy as np
import pytest
import torch

from benchmarks.influence_inputs import N_ENTROPY_NEURONS, Shape, synthetic_inputs
from rare_neurons.models.activity.readout_effects import frequency_direction, measure_readout, unembedding_rows
from rare_neurons.models.activity.set_effects import TargetStream
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.numerics.kinds.readout_weights import entropy_candidates, read_weights
from tests.models.activity.streams import capture, stream_of
from tests.models.tiny import N_NEURONS, VOCAB, random_model, random_panel
from tests.reference.hooked_influence import hooked_log_p, mean_activation


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "llama", "olmo2"])
def test_every_neuron_equals_a_hooked_pass_split_along_the_log_unigram(name):
    model, panel = random_model(name), random_panel()
    panel.log_unigram[50:54] = -np.inf  # never seen: no part of the direction
    captured, rows = capture(model, panel), np.flatnonzero(panel.stratum == 1)
    stream = stream_of(model, panel, captured, rows, 1)
    vocabulary = sort_vocabulary(panel.vocab_stratum, n_strata=3, n_vocab=VOCAB)
    u = frequency_direction(make_unigram(panel.log_unigram, vocabulary, torch.device("cpu")))
    found = measure_readout(stream, captured.activation_mean - stream.activations, u, candidates=range(N_NEURONS))
    token_ids, at = torch.from_numpy(panel.token_ids), (panel.context[rows], panel.position[rows])
    mean = mean_activation(model, token_ids, panel.min_position)
    by_id = torch.empty(VOCAB, dtype=torch.float64)
    by_id[vocabulary.order] = u
    assert by_id[50:54].tolist() == [0] * 4
    assert by_id.sum().abs() < 1e-12
    before = hooked_log_p(model, token_ids, None, None)[at]
    y = torch.from_numpy(panel.target_id[rows])[:, None]

    def influence(f):
        return (before - torch.log_softmax(before + f, -1)).gather(-1, y).mean().item()

    for i in range(N_NEURONS):
        after = hooked_log_p(model, token_ids, i, mean[i])[at]
        f = after - before
        along = (f @ by_id)[:, None] * by_id
        assert found.frequency_influence[i] == pytest.approx(influence(along), abs=1e-9)
        assert found.frequency_frozen_influence[i] == pytest.approx(influence(f - along), abs=1e-9)
        entropy = -(after.exp() * after).sum(-1) + (before.exp() * before).sum(-1)
        assert found.entropy_change[i] == pytest.approx(entropy.mean().item(), abs=1e-9)
        assert found.abs_entropy_change[i] == pytest.approx(entropy.abs().mean().item(), abs=1e-9)
    assert np.abs(found.frequency_influence).max() > 1e-3


def test_planted_entropy_neurons_are_the_candidates_and_change_the_entropy_most():
    inputs = synthetic_inputs(Shape(4096, 512, 256, 6, 8), 120, seed=0, median_abs_influence=1e-3)
    weights = read_weights(inputs.block.W_out.numpy(), inputs.readout.A.numpy(), norm_centres=True)
    found = entropy_candidates(weights, N_ENTROPY_NEURONS)
    assert set(found.tolist()) == set(range(N_ENTROPY_NEURONS))
    stream = TargetStream(
        inputs.readout,
        inputs.block,
        inputs.captured.activations,
        inputs.captured.residual,
        None,
        inputs.vocabulary.column[torch.from_numpy(inputs.panel.target_id)],
        inputs.vocabulary.slices[0],
    )
    delta = inputs.captured.activation_mean - inputs.captured.activations
    u = frequency_direction(inputs.unigram)
    others = list(range(40, 60))
    effects = measure_readout(stream, delta, u, candidates=[*found.tolist(), *others])
    change = effects.abs_entropy_change
    assert change[:N_ENTROPY_NEURONS].min() > change[N_ENTROPY_NEURONS:].max()


def test_rows_of_the_unembedding_carry_the_norms_weight():
    model = random_model("gpt2")
    norm, head = model.transformer.ln_f, model.lm_head
    np.testing.assert_allclose(unembedding_rows(model), (head.weight * norm.weight).detach().numpy())
    model = random_model("opt-no-norm")
    np.testing.assert_allclose(unembedding_rows(model), model.lm_head.weight.detach().numpy())
