"""Joint ablation against hooked forward passes in float64."""

import numpy as np
import pytest
import torch

from rare_neurons.models.activity.set_effects import ABLATIONS, measure_pairs, measure_sets, measure_singles
from rare_neurons.models.influence.probe import probe_model
from tests.models.activity.streams import capture, stream_of
from tests.models.tiny import EXACT, N_NEURONS, NAMES, random_model, random_panel
from tests.reference.hooked_influence import hooked_log_p, mean_activation
from tests.reference.hooked_sets import log_p_without

SIZES = (1, 2, 5, 13, N_NEURONS)


@pytest.mark.parametrize("name", NAMES)
def test_equals_hooked_passes_for_sets_up_to_the_whole_layer(name):
    model, panel = random_model(name), random_panel()
    rng = np.random.default_rng(3)
    sets = [rng.permutation(N_NEURONS)[:size] for size in SIZES]
    captured, token_ids = capture(model, panel), torch.from_numpy(panel.token_ids)
    rows = np.flatnonzero(panel.stratum == 2)
    stream = stream_of(model, panel, captured, rows, 2)
    found = measure_sets(stream, captured.activation_mean - stream.activations, sets)
    at = panel.context[rows], panel.position[rows]
    members = torch.from_numpy(np.flatnonzero(panel.vocab_stratum == 2))
    mean = mean_activation(model, token_ids, panel.min_position)
    before = hooked_log_p(model, token_ids, None, None)[at]
    y = torch.from_numpy(panel.target_id[rows])[:, None]
    for k, neurons in enumerate(sets):
        after = log_p_without(model, token_ids, neurons.tolist(), mean)[at]
        change = (before - after).gather(-1, y).mean().item()
        mass = (torch.logsumexp(before[:, members], -1) - torch.logsumexp(after[:, members], -1)).mean().item()
        assert found.total[k] == pytest.approx(change, abs=1e-9)
        assert found.within[k] == pytest.approx(change - mass, abs=1e-9)
    assert np.abs(found.total).max() > 1e-3


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "olmo2"])
def test_a_set_of_one_is_the_influence_of_its_neuron(name):
    model, panel = random_model(name), random_panel()
    probe, captured = probe_model(model, panel, EXACT), capture(model, panel)
    for s in range(3):
        stream = stream_of(model, panel, captured, np.flatnonzero(panel.stratum == s), s)
        found = measure_sets(stream, captured.activation_mean - stream.activations, [[i] for i in range(N_NEURONS)])
        np.testing.assert_allclose(found.total, probe.influence[s], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.within, probe.influence_within[s], rtol=0, atol=1e-9)
        some = measure_singles(stream, captured.activation_mean - stream.activations, [3, 11])
        np.testing.assert_allclose(some[[3, 11]], probe.influence[s][[3, 11]], rtol=0, atol=1e-9)
        assert np.isnan(some).sum() == N_NEURONS - 2
        pairs = measure_pairs(stream, captured.activation_mean - stream.activations, [3, 11])
        np.testing.assert_allclose(np.abs(pairs).mean(0), probe.abs_influence[s][[3, 11]], rtol=0, atol=1e-9)


def test_each_kind_of_ablation_is_a_hooked_pass_with_its_values():
    model, panel = random_model("llama"), random_panel()
    captured, token_ids = capture(model, panel), torch.from_numpy(panel.token_ids)
    rows = np.flatnonzero((panel.stratum == 0) & (panel.context == 3))
    stream = stream_of(model, panel, captured, rows, 0)
    donors = torch.from_numpy(np.random.default_rng(0).permutation(len(rows)))
    deltas = stream.deltas(captured.activation_mean, donors=donors)
    values = torch.zeros(*token_ids.shape, N_NEURONS, dtype=torch.float64)
    at = panel.context[rows], panel.position[rows]
    values[at] = stream.activations[donors]
    y = torch.from_numpy(panel.target_id[rows])[:, None]
    before = hooked_log_p(model, token_ids, None, None)[at]
    for kind, new in (("zero", torch.zeros(1, dtype=torch.float64).expand(N_NEURONS)), ("resample", values)):
        after = log_p_without(model, token_ids, [4, 9, 11], new)[at]
        (found,) = measure_sets(stream, deltas[kind], [[4, 9, 11]]).total
        assert found == pytest.approx((before - after).gather(-1, y).mean().item(), abs=1e-9), kind
    assert set(deltas) == set(ABLATIONS)
    frozen = measure_sets(stream, deltas["norm_matched"], [[7]], freeze_norm=True).total
    one_stratum = probe_model(model, panel, EXACT)
    whole = stream_of(model, panel, captured, np.flatnonzero(panel.stratum == 0), 0)
    delta = captured.activation_mean - whole.activations
    assert measure_sets(whole, delta, [[7]], freeze_norm=True).total[0] == pytest.approx(
        one_stratum.direct_influence[0, 7], abs=1e-9
    )
    assert frozen[0] != pytest.approx(measure_sets(stream, deltas["mean"], [[7]]).total[0], abs=1e-6)


def test_products_in_float32_err_by_less_than_is_said():
    model, panel = random_model("gpt2"), random_panel()
    captured = capture(model, panel)
    stream = stream_of(model, panel, captured, np.flatnonzero(panel.stratum == 1), 1)
    delta = 0.05 * (captured.activation_mean - stream.activations)  # effects of a trained network's size
    sets = [np.arange(k) for k in SIZES]
    exact, rounded = (measure_sets(stream, delta, sets, dtype=d) for d in (torch.float64, torch.float32))
    assert np.abs(exact.total).max() > 1e-3
    np.testing.assert_allclose(rounded.total, exact.total, rtol=0, atol=5e-7)
