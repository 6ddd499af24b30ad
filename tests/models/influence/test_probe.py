"""Influence against its plain definition: one hooked forward pass per neuron, in float64."""

import dataclasses
import os

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.forward import run_panel
from rare_neurons.models.influence import probe
from rare_neurons.models.influence.probe import ProbeResult, probe_model
from tests.models.tiny import EXACT, N_NEURONS, NAMES, random_model, random_panel
from tests.reference.hooked_influence import frozen_norm_log_p, hooked_log_p, mean_activation
from tests.workflow.project import ROOT
from tests.workflow.warm import warm


def stratum_means(panel, values: np.ndarray) -> np.ndarray:
    return np.stack([values[panel.stratum == s].mean(0) for s in range(3)])


def log_stratum_mass(panel, log_p: torch.Tensor) -> np.ndarray:
    """Log probability of the target's stratum at each target."""
    masses = torch.stack([torch.logsumexp(log_p[..., np.flatnonzero(panel.vocab_stratum == s)], -1) for s in range(3)])
    return masses[panel.stratum, panel.context, panel.position].numpy()


@pytest.mark.parametrize("name", NAMES)
def test_equals_hooked_forward_passes(name):
    model, panel = random_model(name), random_panel()
    result = probe_model(model, panel, EXACT)
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


def test_cells_parts_and_activations_belong_together():
    model, panel = random_model("gpt2"), random_panel()
    r = probe_model(model, panel, EXACT)
    n = r.n_targets[:, None]
    np.testing.assert_array_equal(r.cell_n.sum((1, 2)), r.n_targets)
    np.testing.assert_allclose(r.cell_influence_sum.sum((1, 2)) / n, r.influence, atol=1e-12)
    np.testing.assert_allclose(r.cell_within_sum.sum((1, 2)) / n, r.influence_within, atol=1e-12)
    for part, side in (("a", slice(0, 6)), ("b", slice(6, 12))):
        counts = r.cell_n[:, side, side].sum((1, 2))[:, None]
        for name, sums in (("influence", r.cell_influence_sum), ("influence_within", r.cell_within_sum)):
            mean = sums[:, side, side].sum((1, 2)) / counts
            np.testing.assert_allclose(getattr(r, f"{name}_{part}"), mean, atol=1e-12)
    mean = mean_activation(model, torch.from_numpy(panel.token_ids), panel.min_position)
    np.testing.assert_allclose(r.activation_mean, mean.numpy(), atol=1e-12)


def test_the_change_of_the_loss_within_is_the_influence_within():
    """One neuron ablated by a hook: its mean change of the loss within the target's stratum."""
    model, panel = random_model("gpt_neox-parallel"), random_panel()
    found = probe_model(model, panel, EXACT)
    token_ids = torch.from_numpy(panel.token_ids)
    mean = mean_activation(model, token_ids, panel.min_position)
    after = hooked_log_p(model, token_ids, 3, mean[3])
    after_within = log_stratum_mass(panel, after) - after[panel.context, panel.position, panel.target_id].numpy()
    change = stratum_means(panel, after_within - found.behaviour["loss_within"])
    np.testing.assert_allclose(found.influence_within[:, 3], change, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_certified_is_within_its_bounds(name):
    model, panel = random_model(name, dtype=torch.float32), random_panel()
    exact = probe_model(model, panel, EXACT)
    certified = probe_model(model, panel, dataclasses.replace(EXACT, engine="certified"))
    bound = certified.truncation_bound + certified.rounding_bound
    for column in ("influence", "abs_influence", "influence_within"):
        error = np.abs(getattr(certified, column) - getattr(exact, column))
        assert (error <= bound).all(), column
    assert (bound <= np.maximum(1e-7, 0.1 * certified.influence_se)).mean() > 0.9
    assert (certified.exact_fraction == 1).all() == (name == "olmo2")


def test_a_batch_too_large_for_the_device_is_halved(monkeypatch):
    model, panel, sizes = random_model("gpt2"), random_panel(), []

    def small_device(*args, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return run_panel(*args, batch_size=batch_size, **options)

    expected = probe_model(model, panel, EXACT)
    monkeypatch.setattr(probe, "run_panel", small_device)
    np.testing.assert_allclose(probe_model(model, panel, EXACT, batch_size=7).influence, expected.influence, atol=1e-12)
    assert sizes == [7, 4, 2]


def test_non_finite_outputs_are_a_data_fault():
    model = random_model("gpt2")
    with torch.no_grad():
        model.transformer.h[-1].mlp.c_proj.bias[0] = torch.inf
    with pytest.raises(DataFault, match="not finite on the panel"):
        probe_model(model, random_panel(), EXACT)


def test_result_is_numpy_with_the_promised_shapes():
    panel = random_panel()
    result = probe_model(random_model("opt"), panel, EXACT)
    per_neuron = (3, N_NEURONS)
    arrays = {f.name: getattr(result, f.name) for f in dataclasses.fields(ProbeResult) if f.name != "behaviour"}
    shapes = {name: values.shape for name, values in arrays.items()}
    for name in ("influence", "influence_se", "influence_expected", "exact_fraction", "abs_direct_influence"):
        assert shapes[name] == per_neuron
    assert shapes["cell_influence_sum"] == (3, 12, 12, N_NEURONS)
    assert shapes["placebo_within_pairs"] == (EXACT.placebo_draws, 3, 12, 12)
    assert {values.shape for values in result.behaviour.values()} == {panel.context.shape}


def test_unknown_engine():
    with pytest.raises(RequestError, match="unknown engine 'fast'; known: certified, exact"):
        probe_model(random_model("gpt2"), random_panel(), dataclasses.replace(EXACT, engine="fast"))


def test_a_batch_is_found_that_fits_a_machine_with_little_memory(tmp_path):
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = warm().run(["tests.models.influence.small_machine"], tmp_path, variables)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "out of memory on cpu: 8000 contexts at a time from here on" in done.stdout
