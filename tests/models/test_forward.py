"""One forward pass keeps what the targets need and leaves the model as it was."""

import pytest
import torch

from rare_neurons.models.forward import products_in_tf32, run_panel
from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel


def test_the_model_is_left_as_it_was():
    model, panel = random_model("llama"), random_panel()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    probe_model(model, panel, EXACT)
    with pytest.raises(RuntimeError, match="stop"):
        probe_model(model, panel, EXACT, progress=_stop)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _stop(*_args):
    raise RuntimeError("stop")


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_what_is_kept_is_what_the_network_has_at_the_targets(batch_size):
    model, panel = random_model("gpt2"), random_panel()
    token_ids = torch.from_numpy(panel.token_ids)
    context, position = (torch.from_numpy(panel_rows[::-1].copy()) for panel_rows in (panel.context, panel.position))
    done = []
    found = run_panel(
        model,
        token_ids,
        context=context,
        position=position,
        min_position=panel.min_position,
        batch_size=batch_size,
        progress=done.append,
    )
    seen = []
    hooks = [
        model.transformer.h[-1].mlp.c_proj.register_forward_pre_hook(lambda _module, args: seen.append(args[0])),
        model.transformer.ln_f.register_forward_pre_hook(lambda _module, args: seen.append(args[0])),
    ]
    with torch.no_grad():
        model(input_ids=token_ids)
    for hook in hooks:
        hook.remove()
    activations, residual = (values.reshape(*token_ids.shape, -1) for values in seen)
    torch.testing.assert_close(found.activations, activations[context, position], rtol=0, atol=1e-12)
    torch.testing.assert_close(found.residual, residual[context, position], rtol=0, atol=1e-12)
    natural = activations[:, panel.min_position : -1].flatten(0, 1)
    torch.testing.assert_close(found.activation_mean, natural.mean(0), rtol=0, atol=1e-12)
    torch.testing.assert_close(found.activation_variance, natural.var(0, correction=0), rtol=0, atol=1e-12)
    assert found.mlp_output is None
    assert done == sorted({*range(batch_size, 8, batch_size), 8})


def test_a_post_norm_blocks_mlp_output_is_kept():
    model, panel = random_model("olmo2"), random_panel()
    at = {name: torch.from_numpy(getattr(panel, name)) for name in ("context", "position")}
    token_ids = torch.from_numpy(panel.token_ids)
    found = run_panel(model, token_ids, **at, min_position=2, batch_size=8)
    out = found.activations @ model.model.layers[-1].mlp.down_proj.weight.detach().T
    torch.testing.assert_close(found.mlp_output, out, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("device", "asked", "inside"), [("cuda", True, "high"), ("cuda", False, "highest"), ("cpu", True, "highest")]
)
def test_tf32_is_for_the_forward_pass_of_a_cuda_device_alone(device, asked, inside):
    with products_in_tf32(torch.device(device), asked):
        assert torch.get_float32_matmul_precision() == inside
    assert torch.get_float32_matmul_precision() == "highest"
    with pytest.raises(KeyError), products_in_tf32(torch.device(device), asked):
        raise KeyError
    assert torch.get_float32_matmul_precision() == "highest"
