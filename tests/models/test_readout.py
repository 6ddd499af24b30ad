"""The folded readout gives the model's own outputs; ablation coefficients are the logits' change."""

import pytest
import torch

from rare_neurons.models.readout import FinalBlock, Norm, final_block, measure_ablation, prepare_ablation, read_out
from tests.models.tiny import N_NEURONS, NAMES, VOCAB, random_model, random_panel
from tests.reference.hooked_influence import final_w_out, hooked_log_p, mean_activation

ORDER = torch.arange(VOCAB).flip(0)
FLAT = torch.full((VOCAB,), 1 / VOCAB, dtype=torch.float64)


def states(model, token_ids):
    """Input of `W_out` and its output, at all positions."""
    seen = {}
    w_out = final_w_out(model)
    handle = w_out.register_forward_hook(lambda _module, args, out: seen.update(activations=args[0], mlp=out))
    with torch.no_grad():
        model(input_ids=token_ids)
    handle.remove()
    return seen


def final_residual(model, token_ids, name):
    """What the final norm sees (or, without one, the unembedding)."""
    path = {"gpt_neox": "gpt_neox.final_layer_norm", "gpt2": "transformer.ln_f", "llama": "model.norm"}
    path |= {"opt": "model.decoder.final_layer_norm", "olmo2": "model.norm"}
    seen = []
    if name == "opt-no-norm":
        handle = model.lm_head.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    else:
        norm = model.get_submodule(path[name.split("-")[0]])
        handle = norm.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    with torch.no_grad():
        model(input_ids=token_ids)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_the_models_own_up_to_one_constant_per_position(name):
    model, token_ids = random_model(name), torch.from_numpy(random_panel().token_ids)
    readout = read_out(model, vocab_order=ORDER, centre_weights=FLAT)
    r = final_residual(model, token_ids, name)
    c = readout.norm.centre(r)
    scale = readout.norm.variance((c * c).sum(-1, keepdim=True), c.shape[-1]).rsqrt()
    ours = torch.log_softmax(scale * (c @ readout.A.T) + readout.b, -1)
    torch.testing.assert_close(ours, hooked_log_p(model, token_ids, None, None)[..., ORDER], rtol=0, atol=1e-10)
    assert float(readout.A.mean(0).abs().max()) < 1e-12  # centred by flat weights


@pytest.mark.parametrize("name", NAMES)
def test_coefficients_give_the_logits_of_the_ablated_model(name):
    model, token_ids = random_model(name), torch.from_numpy(random_panel().token_ids)
    readout, block = read_out(model, vocab_order=ORDER, centre_weights=FLAT), final_block(model)
    seen = states(model, token_ids)
    r = final_residual(model, token_ids, name).flatten(0, 1)
    width = seen["activations"].shape[-1]
    activations, m = seen["activations"].reshape(-1, width), seen["mlp"].reshape(len(r), -1)
    mean = mean_activation(model, token_ids, 2)
    post = block.post_norm is not None
    ablation = measure_ablation(
        readout.norm, block, residual=r, delta=mean - activations, mlp_output=m if post else None
    )
    W = readout.norm.centre(block.W_out * block.post_weight if post else block.W_out)
    z = readout.norm.centre(r) @ readout.A.T
    before = hooked_log_p(model, token_ids, None, None)[..., ORDER].flatten(0, 1)
    for i in (0, N_NEURONS - 1):
        f = ablation.epsilon[:, i, None] * z + ablation.eta[:, i, None] * (readout.A @ W[i])
        if post:
            f = f + ablation.kappa[:, i, None] * (readout.norm.centre(m * block.post_weight) @ readout.A.T)
        after = hooked_log_p(model, token_ids, i, mean[i])[..., ORDER].flatten(0, 1)
        torch.testing.assert_close(torch.log_softmax(before + f, -1), after, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "none"])
def test_coefficients_do_not_depend_on_how_many_are_made_at_once(kind):
    draw = torch.Generator().manual_seed(0)
    W_out, residual, delta = (
        torch.randn(*size, generator=draw, dtype=torch.float64) for size in ((5, 8), (7, 8), (7, 5))
    )
    known = {"residual": residual, "mlp_output": None}
    norm, block = Norm(kind, 1e-5), FinalBlock(W_out, None, None)
    whole = prepare_ablation(norm, block, **known)(delta)
    pieces = prepare_ablation(norm, block, **known, pairs=11)(delta)
    for name in ("epsilon", "eta", "direct_eta"):
        assert torch.equal(getattr(pieces, name), getattr(whole, name))


def test_a_change_of_scale_keeps_its_digits():
    """(v + 1e-12)^(-1/2) − v^(-1/2) ≈ −1e-12/2 at v = 1; the plain difference keeps four digits of it."""
    norm, one = Norm("rms_norm", 1e-5), torch.ones(1, dtype=torch.float64)
    assert float(norm.scale_change(one, change=1e-12 * one)) == pytest.approx(-5e-13, rel=1e-10, abs=0)
    assert float(norm.scale_change(one, change=3 * one)) == pytest.approx(-0.5)
    assert float(Norm("none", 0.0).scale_change(one, change=one)) == 0


def test_only_a_layer_norm_centres():
    x = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    assert Norm("layer_norm", 0.0).centre(x).tolist() == [-2.0, -1.0, 3.0]
    assert torch.equal(Norm("rms_norm", 0.0).centre(x), x)
