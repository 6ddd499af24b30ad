"""Heads to the first position, by slice and in closed form, against an edited attention pattern in float64."""

import pytest
import torch

from rare_neurons.models.activity.heads import (
    Places,
    final_activations,
    heads_to_first_position,
    keeping_final_mlp,
    last_acting_layer,
    n_heads,
)
from tests.models.tiny import LENGTH, NAMES, random_model, random_panel
from tests.reference.edited_attention import with_pattern_to_first_position

PANEL = random_panel()
PLACES = Places(*(torch.from_numpy(v) for v in (PANEL.token_ids, PANEL.context, PANEL.position)))


def activations(model):
    return final_activations(model, PLACES, batch_size=3)


def closed_form(model):
    with keeping_final_mlp(model, PLACES) as found:
        activations(model)  # some pass over the contexts
    return found()


def sliced(model, layer, heads):
    with heads_to_first_position(model, layer, heads):
        return activations(model)


def edited(name, layer, heads):
    model = random_model(name)
    model.set_attn_implementation("eager")
    return with_pattern_to_first_position(model, layer, heads, lambda: activations(model))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("heads", [[1], [0, 1]])
def test_the_slice_is_an_edited_pattern(name, heads):
    model = random_model(name)
    for layer in (0, 1):
        found, expected = sliced(model, layer, heads), edited(name, layer, heads)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert (sliced(model, 0, heads) - activations(model)).abs().max() > 1e-2


@pytest.mark.parametrize("name", [name for name in NAMES if name != "olmo2"])
def test_the_closed_form_is_the_slice(name):
    model = random_model(name)
    closed = closed_form(model)
    assert closed.layer == last_acting_layer(model)
    torch.testing.assert_close(closed.activations(), activations(model), rtol=0, atol=1e-12)
    for heads in ([0], [1], [0, 1]):
        torch.testing.assert_close(closed.activations(heads), sliced(model, closed.layer, heads), rtol=0, atol=1e-12)


def test_heads_of_the_last_layer_do_nothing_to_a_parallel_mlp():
    model = random_model("gpt_neox-parallel")
    assert (last_acting_layer(model), n_heads(model)) == (0, 2)
    assert torch.equal(sliced(model, 1, [0, 1]), activations(model))
    assert last_acting_layer(random_model("gpt_neox-sequential")) == 1


def test_a_normalised_sublayer_has_no_closed_form():
    assert closed_form(random_model("olmo2")) is None


def test_rows_come_back_in_their_order_and_hooks_are_gone():
    model = random_model("gpt2")
    shuffled = torch.randperm(len(PANEL.context), generator=torch.Generator().manual_seed(0))
    other = Places(PLACES.token_ids, PLACES.context[shuffled], PLACES.position[shuffled])
    assert torch.equal(final_activations(model, other, batch_size=5), activations(model)[shuffled])
    with pytest.raises(KeyError), heads_to_first_position(model, 0, [0]):
        raise KeyError
    assert not model.get_submodule("transformer.h.0.attn.c_proj")._forward_pre_hooks
    assert PANEL.token_ids.shape[1] == LENGTH
