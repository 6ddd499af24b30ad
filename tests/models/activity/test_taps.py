import pytest
import torch

from rare_neurons.models.activity.taps import tapped_mlps
from tests.models.tiny import LENGTH, N_NEURONS, NAMES, random_model, random_panel

GATED = ("llama", "olmo2")


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_handed_on_once_with_what_its_nonlinearity_takes_and_gives(name):
    model, ids = random_model(name), torch.from_numpy(random_panel().token_ids)
    seen = {}
    with torch.no_grad(), tapped_mlps(model, lambda layer, pre, post: seen.setdefault(layer, []).append((pre, post))):
        model(input_ids=ids)
    assert list(seen) == [0, 1]
    for ((pre, post),) in seen.values():
        assert pre.shape == post.shape == (len(ids) * LENGTH, N_NEURONS)
        if name in GATED:
            same = torch.sign(torch.nn.functional.silu(pre)) * torch.sign(post)
            assert (same != 0).all()  # the other factor's sign is free
        else:
            known = {"opt": torch.relu, "opt-no-norm": torch.relu}.get(name, torch.nn.functional.gelu)
            # GPT-2's GELU is an approximation by tanh
            torch.testing.assert_close(post, known(pre), rtol=0, atol=5e-3 if name == "gpt2" else 1e-12)


def test_hooks_are_gone_afterwards_also_after_an_error():
    model, ids = random_model("gpt2"), torch.from_numpy(random_panel().token_ids)

    def fail(layer, _pre, _post):
        raise KeyError(layer)

    with pytest.raises(KeyError), torch.no_grad(), tapped_mlps(model, fail):
        model(input_ids=ids)
    with torch.no_grad():
        model(input_ids=ids)


def test_layers_can_be_named():
    model, ids = random_model("gpt2"), torch.from_numpy(random_panel().token_ids)
    seen = []
    with torch.no_grad(), tapped_mlps(model, lambda layer, _pre, _post: seen.append(layer), [1]):
        model(input_ids=ids)
    assert seen == [1]
