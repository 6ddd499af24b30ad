"""Gradients with respect to neurons, against edits of the network itself."""

import pytest
import torch

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.taps import activation_sums, frozen, run_tapped
from tests.models.tiny import N_NEURONS, NAMES, random_model, random_panel

STEP = 1e-5  # third derivatives leave about 1e-10 of a central difference in float64


def _setting(name):
    panel = random_panel(n_contexts=3, per_stratum=5)
    model = random_model(name)
    return model, Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3), panel


def _losses(readout, final, panel):
    at = torch.from_numpy(panel.context), torch.from_numpy(panel.position)
    return readout.losses(final[at], torch.from_numpy(panel.target_id)).within


@pytest.mark.parametrize("name", NAMES)
def test_a_contraction_is_the_derivative_along_an_edit_of_the_network(name):
    _model, blocks, readout, panel = _setting(name)
    token_ids = torch.from_numpy(panel.token_ids)
    passed = run_tapped(blocks, token_ids)
    deltas = [0.3 - a.detach().reshape(*token_ids.shape, -1) for a in passed.activations]
    found = passed.contract(_losses(readout, passed.final, panel).sum(), deltas)
    assert found.shape == (3, 2, N_NEURONS)
    for layer, neuron in ((0, 4), (1, 7)):
        only = [torch.zeros_like(delta) for delta in deltas]
        only[layer][..., neuron] = deltas[layer][..., neuron]

        def loss(step, only=only):
            shifts = [step * one for one in only]
            return _losses(readout, run_tapped(blocks, token_ids, shifts=shifts).final, panel).sum().detach()

        slope = (loss(STEP) - loss(-STEP)) / (2 * STEP)
        torch.testing.assert_close(found[:, layer, neuron].sum(), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_reading_at_some_places_changes_nothing_there(name):
    _model, blocks, readout, panel = _setting(name)
    token_ids = torch.from_numpy(panel.token_ids)
    at = torch.from_numpy(panel.context), torch.from_numpy(panel.position)
    places = torch.unique(torch.stack(at), dim=1).unbind()
    shifts = [torch.randn(*token_ids.shape, N_NEURONS, dtype=torch.float64)]
    whole, read = (run_tapped(blocks, token_ids, shifts=shifts, places=here) for here in (None, places))
    torch.testing.assert_close(read.final[at], whole.final[at], rtol=0, atol=1e-12)
    last = whole.activations[-1].reshape(*token_ids.shape, -1)
    torch.testing.assert_close(read.activations[-1], last[places], rtol=0, atol=1e-12)
    # Elsewhere the last block has no say in any loss.
    deltas = [torch.randn_like(last) for _ in range(2)]
    found, expected = (one.contract(_losses(readout, one.final, panel).sum(), deltas) for one in (read, whole))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12 * float(expected.abs().max()))


def test_all_places_may_be_read_in_any_order():
    _model, blocks, readout, panel = _setting("llama")
    token_ids = torch.from_numpy(panel.token_ids)
    places = torch.ones(token_ids.shape).nonzero().flip(0).unbind(1)
    whole, read = (run_tapped(blocks, token_ids, places=here) for here in (None, places))
    deltas = [torch.randn_like(a) for a in whole.activations]
    found, expected = (one.contract(_losses(readout, one.final, panel).sum(), deltas) for one in (read, whole))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12 * float(expected.abs().max()))


def test_the_first_layers_alone_have_the_same_contractions():
    _, blocks, readout, panel = _setting("gpt2")
    passed = run_tapped(blocks, torch.from_numpy(panel.token_ids))
    deltas = [torch.ones_like(a) for a in passed.activations]
    loss = _losses(readout, passed.final, panel).sum()
    torch.testing.assert_close(passed.contract(loss, deltas[:1]), passed.contract(loss, deltas)[:, :1])


@pytest.mark.parametrize("name", ["opt", "olmo2"])
def test_a_shift_is_what_an_edited_network_has(name):
    model, blocks, readout, panel = _setting(name)
    token_ids = torch.from_numpy(panel.token_ids)
    shifts = [torch.randn(*token_ids.shape, N_NEURONS, dtype=torch.float64) for _ in range(2)]

    def edit(layer):
        return lambda _module, args: (args[0] + shifts[layer].reshape(args[0].shape),)

    handles = [module.register_forward_pre_hook(edit(k)) for k, module in enumerate(blocks.w_out)]
    with torch.no_grad():
        expected = model(input_ids=token_ids).logits
    for handle in handles:
        handle.remove()
    final = run_tapped(blocks, token_ids, shifts=shifts).final.detach()
    torch.testing.assert_close(readout.logits(final), expected, rtol=0, atol=1e-11)


def test_the_model_is_left_as_it_was():
    model, blocks, _, panel = _setting("llama")
    first = next(model.parameters())
    first.requires_grad_(False)
    run_tapped(blocks, torch.from_numpy(panel.token_ids))
    with pytest.raises(IndexError):
        run_tapped(blocks, torch.full((1, 5), 10**6))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert [p.requires_grad for p in model.parameters()] == [p is not first for p in model.parameters()]
    assert all(p.grad is None for p in model.parameters())


def _look_and_fail(model):
    assert not any(p.requires_grad for p in model.parameters())
    raise KeyError


def test_weights_are_frozen_only_inside():
    model = torch.nn.Linear(2, 2)
    with pytest.raises(KeyError), frozen(model):
        _look_and_fail(model)
    assert all(p.requires_grad for p in model.parameters())


def test_activations_are_summed_over_natural_positions():
    _model, blocks, _, panel = _setting("gpt_neox-sequential")
    token_ids = torch.from_numpy(panel.token_ids)
    found = activation_sums(blocks, token_ids, natural=slice(2, 13))
    expected = [a[:, 2:13].sum((0, 1)) for a in blocks.trace(token_ids).activations]
    torch.testing.assert_close(found, torch.stack(expected))
