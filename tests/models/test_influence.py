"""Influence against its plain definition: one hooked forward pass per neuron, in float64."""

import dataclasses

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.forward import run_panel
from rare_neurons.models.influence import probe
from rare_neurons.models.influence.probe import ProbeResult, probe_model
from tests.models.tiny import N_NEURONS, VOCAB, random_model, random_panel
from tests.reference.hooked_influence import frozen_norm_log_p, hooked_log_p, mean_activation

NAMES = ("gpt_neox-parallel", "gpt_neox-sequential", "gpt2", "opt", "opt-no-norm", "llama", "olmo2")
EXACT = {"engine": "exact", "tolerance": 1e-7, "tolerance_se": 0.1, "memory_gb": 1.0}


def stratum_means(panel, values: np.ndarray) -> np.ndarray:
    return np.stack([values[panel.stratum == s].mean(0) for s in range(3)])


def log_stratum_mass(panel, log_p: torch.Tensor) -> np.ndarray:
    """Log probability of the target's stratum at each target."""
    masses = torch.stack([torch.logsumexp(log_p[..., np.flatnonzero(panel.vocab_stratum == s)], -1) for s in range(3)])
    return masses[panel.stratum, panel.context, panel.position].numpy()


@pytest.mark.parametrize("name", NAMES)
def test_equals_hooked_forward_passes(name):
    model, panel = random_model(name), random_panel()
    result = probe_model(model, panel, **EXACT)
    token_ids = torch.from_numpy(panel.token_ids)
    mean = mean_activation(model, token_ids, panel.min_position)
    before = hooked_log_p(model, token_ids, None, None)
    at = panel.context, panel.position
    weight = panel.natural_weights()[:, None]
    p = before[at].exp().numpy()
    for i in range(N_NEURONS):
        after = hooked_log_p(model, token_ids, i, mean[i])
        change = (before - after)[(*at, panel.target_id)].numpy()
        between = log_stratum_mass(panel, before) - log_stratum_mass(panel, after)
        expected = {
            "influence": stratum_means(panel, change),
            "abs_influence": stratum_means(panel, np.abs(change)),
            "influence_within": stratum_means(panel, change - between),
            "influence_expected": np.array(
                [
                    (weight * p * (before - after)[at].numpy())[:, panel.vocab_stratum == s].sum()
                    / (weight * p)[:, panel.vocab_stratum == s].sum()
                    for s in range(3)
                ]
            ),
        }
        if name != "opt-no-norm":
            frozen = (before - frozen_norm_log_p(model, token_ids, i, mean[i]))[(*at, panel.target_id)].numpy()
            expected["direct_influence"] = stratum_means(panel, frozen)
            expected["abs_direct_influence"] = stratum_means(panel, np.abs(frozen))
        for column, values in expected.items():
            np.testing.assert_allclose(getattr(result, column)[:, i], values, rtol=0, atol=1e-9, err_msg=column)
    assert np.abs(result.influence).max() > 1e-2


def test_behaviour_and_gradient_against_autograd():
    model, panel = random_model("gpt_neox-parallel"), random_panel()
    result = probe_model(model, panel, **EXACT)
    token_ids = torch.from_numpy(panel.token_ids)
    captured = []
    handle = model.gpt_neox.final_layer_norm.register_forward_hook(lambda _m, args, _out: captured.append(args[0]))
    log_p = torch.log_softmax(model(input_ids=token_ids).logits, -1)
    handle.remove()
    at = panel.context, panel.position
    loss = -log_p[(*at, panel.target_id)]
    np.testing.assert_allclose(result.behaviour["loss"], loss.detach().numpy(), atol=1e-12)
    rows, log_q = log_p[at].detach().numpy(), panel.log_unigram
    np.testing.assert_allclose(result.behaviour["entropy"], -(np.exp(rows) * rows).sum(-1), atol=1e-12)
    np.testing.assert_allclose(
        result.behaviour["kl_model_to_unigram"], (np.exp(rows) * (rows - log_q)).sum(-1), atol=1e-12
    )
    np.testing.assert_allclose(
        result.behaviour["kl_unigram_to_model"], (np.exp(log_q) * (log_q - rows)).sum(-1), atol=1e-12
    )
    for s in range(3):
        mean_loss = loss[torch.from_numpy(panel.stratum == s)].mean()
        (gradient,) = torch.autograd.grad(mean_loss, captured[0], retain_graph=True)
        np.testing.assert_allclose(result.residual_gradient[s], gradient.sum((0, 1)).numpy(), atol=1e-12)


def test_folds_halves_and_activations_belong_together():
    model, panel = random_model("gpt2"), random_panel()
    r = probe_model(model, panel, **EXACT)
    np.testing.assert_array_equal(r.fold_n.sum(1), r.n_targets)
    np.testing.assert_allclose(r.fold_influence_sum.sum(1) / r.n_targets[:, None], r.influence, atol=1e-12)
    np.testing.assert_allclose(r.fold_within_sum.sum(1) / r.n_targets[:, None], r.influence_within, atol=1e-12)
    in_a = panel.half[panel.context] == 0
    n_a = np.array([in_a[panel.stratum == s].sum() for s in range(3)])[:, None]
    mixed = (n_a * r.influence_a + (r.n_targets[:, None] - n_a) * r.influence_b) / r.n_targets[:, None]
    np.testing.assert_allclose(mixed, r.influence, atol=1e-12)
    mean = mean_activation(model, torch.from_numpy(panel.token_ids), panel.min_position)
    np.testing.assert_allclose(r.activation_mean, mean.numpy(), atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_certified_is_within_its_bounds(name):
    model, panel = random_model(name, dtype=torch.float32), random_panel()
    exact = probe_model(model, panel, **EXACT)
    certified = probe_model(model, panel, **{**EXACT, "engine": "certified"})
    bound = certified.truncation_bound + certified.rounding_bound
    for column in ("influence", "abs_influence", "influence_within"):
        error = np.abs(getattr(certified, column) - getattr(exact, column))
        assert (error <= bound).all(), column
    assert (bound <= np.maximum(1e-7, 0.1 * certified.influence_se)).mean() > 0.9
    assert (certified.exact_fraction == 1).all() == (name == "olmo2")


def test_the_model_is_left_as_it_was():
    model, panel = random_model("llama"), random_panel()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    probe_model(model, panel, **EXACT)
    with pytest.raises(RuntimeError, match="stop"):
        probe_model(model, panel, **EXACT, progress=_stop)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _stop(*_args):
    raise RuntimeError("stop")


def test_a_batch_too_large_for_the_device_is_halved(monkeypatch):
    model, panel, sizes = random_model("gpt2"), random_panel(), []

    def small_device(*args, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return run_panel(*args, batch_size=batch_size, **options)

    expected = probe_model(model, panel, **EXACT)
    monkeypatch.setattr(probe, "run_panel", small_device)
    np.testing.assert_allclose(
        probe_model(model, panel, **EXACT, batch_size=7).influence, expected.influence, atol=1e-12
    )
    assert sizes == [7, 4, 2]


def test_non_finite_outputs_are_a_data_fault():
    model = random_model("gpt2")
    with torch.no_grad():
        model.transformer.h[-1].mlp.c_proj.bias[0] = torch.inf
    with pytest.raises(DataFault, match="not finite on the panel"):
        probe_model(model, random_panel(), **EXACT)


def test_result_is_numpy_with_the_promised_shapes():
    panel = random_panel()
    result = probe_model(random_model("opt"), panel, **EXACT)
    per_neuron = (3, N_NEURONS)
    arrays = {f.name: getattr(result, f.name) for f in dataclasses.fields(ProbeResult) if f.name != "behaviour"}
    shapes = {name: values.shape for name, values in arrays.items()}
    for name in ("influence", "influence_se", "influence_expected", "exact_fraction", "abs_direct_influence"):
        assert shapes[name] == per_neuron
    assert shapes["fold_influence_sum"] == (3, 64, N_NEURONS)
    assert {values.shape for values in result.behaviour.values()} == {panel.context.shape}


def test_padding_ids_have_no_stratum_and_a_larger_tokenizer_is_refused():
    model, panel = random_model("gpt2"), random_panel()
    keep = VOCAB - 4  # the panel's tokenizer may end before the model's padded vocabulary
    short = dataclasses.replace(panel, vocab_stratum=panel.vocab_stratum[:keep], log_unigram=panel.log_unigram[:keep])
    full, padded = probe_model(model, panel, **EXACT), probe_model(model, short, **EXACT)
    np.testing.assert_allclose(padded.influence_within, full.influence_within, atol=1e-12)
    larger = dataclasses.replace(
        panel, vocab_stratum=np.append(panel.vocab_stratum, 0), log_unigram=np.append(panel.log_unigram, -20.0)
    )
    with pytest.raises(RequestError, match=f"{VOCAB + 1} ids, the model's unembedding only {VOCAB}"):
        probe_model(model, larger, **EXACT)


def test_strata_by_input_token():
    panel = random_panel()
    by_input = panel.vocab_stratum[panel.token_ids[panel.context, panel.position]]
    result = probe_model(random_model("gpt2"), dataclasses.replace(panel, stratum=by_input), **EXACT)
    np.testing.assert_array_equal(result.n_targets, np.bincount(by_input, minlength=3))
    assert np.isfinite(result.influence_within).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fold": np.zeros(3, dtype=int)}, "fold has 3 entries, 8 expected"),
        ({"min_position": 9}, "leave the eligible 9"),
        ({"target_id": np.zeros_like(random_panel().context)}, "target ids differ from the token after"),
        ({"stratum": np.zeros_like(random_panel().context)}, "neither those of the targets nor those of the inputs"),
        ({"log_unigram": np.zeros(5)}, "vocab_stratum has 61 ids, log_unigram 5"),
    ],
)
def test_contradictory_panels_are_refused(change, message):
    with pytest.raises(RequestError, match=message):
        probe_model(random_model("gpt2"), dataclasses.replace(random_panel(), **change), **EXACT)


def test_unknown_engine():
    with pytest.raises(RequestError, match="unknown engine 'fast'; known: certified, exact"):
        probe_model(random_model("gpt2"), random_panel(), **{**EXACT, "engine": "fast"})
