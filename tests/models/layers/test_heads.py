"""Heads and sublayers against the whole model run with an edited input, and against a formula in the last layer."""

import dataclasses

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.allocation.contexts import choose_contexts
from rare_neurons.models.layers import heads
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
from rare_neurons.numerics.layers.head_rows import HeadRow
from tests.models.tiny import D_MODEL, NAMES, random_model, random_panel

STRATA = ("common", "rare")
OPTIONS = HeadOptions(strata=STRATA, contexts=None, batch_size=16)
W_O = {"gpt_neox": "attention.dense", "gpt2": "attn.c_proj", "opt": "self_attn.out_proj"}
W_OUT = {"gpt_neox": "mlp.dense_4h_to_h", "gpt2": "mlp.c_proj", "opt": "fc2"}
ATTENTION, MLP = "self_attn.o_proj", "mlp.down_proj"


def modules(model, layer):
    """The modules whose inputs are edited, found by their names."""
    kind = model.config.model_type
    named = dict(model.named_modules())
    find = lambda suffix: next(m for name, m in named.items() if name.endswith(f".{layer}.{suffix}"))  # noqa: E731
    return find(W_O.get(kind, ATTENTION)), find(W_OUT.get(kind, MLP))


def whole_panel():
    """A panel all of whose contexts have targets of the strata: means are over those alone."""
    panel = random_panel(n_contexts=24, per_stratum=70)
    assert len(choose_contexts(panel, None, STRATA).token_ids) == 24
    return panel


def losses(model, panel):
    """Whole and within losses of all targets `[part, target]` by the library's own logits."""
    with torch.no_grad():
        logits = model(torch.from_numpy(panel.token_ids)).logits[panel.context, panel.position]
    log_p = torch.log_softmax(logits, 1).numpy()
    own = log_p[np.arange(len(panel.context)), panel.target_id]
    inside = panel.vocab_stratum[None] == panel.stratum[:, None]
    return np.stack([-own, np.log((np.exp(log_p) * inside).sum(1)) - own])


def hooked_change(model, panel, module, entries):
    """Change of the losses with some entries of a module's input at their means, by one hook on the whole model."""
    seen, shape = {}, panel.token_ids.shape
    natural = slice(panel.min_position, shape[1] - 1)
    handle = module.register_forward_pre_hook(lambda _m, args: seen.update(x=args[0]))
    before = losses(model, panel)
    handle.remove()
    mean = seen["x"].reshape(*shape, -1)[:, natural].mean((0, 1))

    def edit(_module, args):
        x = args[0].clone()
        x[..., entries] = mean[entries]
        return (x,)

    handle = module.register_forward_pre_hook(edit)
    after = losses(model, panel)
    handle.remove()
    return after - before


@pytest.mark.parametrize("name", NAMES)
def test_every_component_is_what_a_hook_on_the_whole_model_gives(name):
    model, panel = random_model(name), whole_panel()
    found = measure_heads(model, panel, OPTIONS)
    rows = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    assert len(rows) == len(STRATA) * 2 * (2 + 2)
    for row in rows:
        w_o, w_out = modules(model, row["layer"])
        of_head = slice(0, None) if row["head"] is None else slice(row["head"] * 6, row["head"] * 6 + 6)
        module = w_out if row["component"] == "mlp" else w_o
        change = hooked_change(model, panel, module, of_head)[:, panel.stratum == panel.strata.index(row["stratum"])]
        assert row["n_targets"] == change.shape[1]
        # float64 throughout: what is left is the order of sums.
        np.testing.assert_allclose([row["influence"], row["influence_within"]], change.mean(1), atol=1e-12)


def test_the_last_attention_and_mlp_of_a_parallel_block_follow_from_the_final_residual():
    model, panel = random_model("gpt_neox-parallel"), whole_panel()
    found = measure_heads(model, panel, OPTIONS)
    last = {}
    block = model.gpt_neox.layers[-1]
    for key, module in (("attention", block.attention.dense), ("mlp", block.mlp.dense_4h_to_h)):
        module.register_forward_hook(lambda _m, _a, output, key=key: last.update({key: output.detach()}))
    block.register_forward_hook(
        lambda _m, _a, output: last.update(r=output[0] if isinstance(output, tuple) else output)
    )
    before = losses(model, panel)
    natural = slice(panel.min_position, panel.token_ids.shape[1] - 1)
    for component in ("attention", "mlp"):
        change = last[component][:, natural].mean((0, 1)) - last[component]  # linear: the mean's output is the output's
        final = model.gpt_neox.final_layer_norm(last["r"].detach() + change)[panel.context, panel.position]
        log_p = torch.log_softmax(model.embed_out(final) if hasattr(model, "embed_out") else model.lm_head(final), 1)
        after = -log_p.detach().numpy()[np.arange(len(panel.context)), panel.target_id]
        for stratum in STRATA:
            k = next(
                k
                for k in range(len(found["layer"]))
                if (found["layer"][k], found["component"][k], found["stratum"][k]) == (1, component, stratum)
            )
            expected = (after - before[0])[panel.stratum == panel.strata.index(stratum)].mean()
            assert found["influence"][k] == pytest.approx(expected, abs=1e-12)


def test_batches_make_no_difference_and_columns_are_those_of_the_table():
    model, panel = random_model("llama"), whole_panel()
    all_at_once, by_one = (
        measure_heads(model, panel, dataclasses.replace(OPTIONS, batch_size=size)) for size in (10_000, 1)
    )
    assert list(all_at_once) == [field.name for field in dataclasses.fields(HeadRow)]
    assert set(all_at_once["status"]) == {"ok"}
    for name in ("influence", "influence_se", "influence_within", "influence_within_se"):
        np.testing.assert_allclose(all_at_once[name], by_one[name], rtol=1e-9, atol=1e-12)


def test_the_model_is_left_as_it_was():
    model, panel = random_model("opt"), whole_panel()
    before = losses(model, panel)
    measure_heads(model, panel, OPTIONS)
    np.testing.assert_array_equal(losses(model, panel), before)
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())


def test_too_little_memory_halves_the_batches_and_is_refused_at_one_context(monkeypatch, capsys):
    model, panel = random_model("gpt2"), whole_panel()
    expected = measure_heads(model, panel, OPTIONS)
    make = heads._Ablations

    def small(limit):
        def made(model, panel, size):
            if size > limit:
                raise RuntimeError("CUDA out of memory.")
            return make(model, panel, size)

        return made

    four = dataclasses.replace(OPTIONS, batch_size=4)
    monkeypatch.setattr(heads, "_Ablations", small(3))
    found = measure_heads(model, panel, four)
    np.testing.assert_allclose(found["influence"], expected["influence"], atol=1e-12)
    assert "out of memory on cpu: 2 contexts at a time" in capsys.readouterr().err
    monkeypatch.setattr(heads, "_Ablations", small(0))
    with pytest.raises(MemoryError, match="one context of 14 tokens does not fit the memory of cpu"):
        measure_heads(model, panel, four)


def test_half_precision_unknown_strata_and_infinite_weights_are_refused():
    panel = whole_panel()
    with pytest.raises(RequestError, match="heads cannot be measured in bfloat16"):
        measure_heads(random_model("gpt2", dtype=torch.bfloat16), panel, OPTIONS)
    with pytest.raises(RequestError, match="strata odd asked for; the panel has common, mid, rare"):
        measure_heads(random_model("gpt2"), panel, dataclasses.replace(OPTIONS, strata=("odd",)))
    broken = random_model("gpt2")
    with torch.no_grad():
        broken.transformer.h[1].mlp.c_proj.bias[D_MODEL - 1] = torch.nan
    with pytest.raises(DataFault, match="not finite, with a head or sublayer ablated or without"):
        measure_heads(broken, panel, OPTIONS)
