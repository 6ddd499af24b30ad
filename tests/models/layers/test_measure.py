"""Every neuron of every layer of a small model, against exact ablation and the certified engine; what goes wrong."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.layers import measure
from rare_neurons.models.layers.audit import ablate
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.estimate import estimate, mean_activation
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.measure import LayerOptions, measure_layers
from rare_neurons.numerics.layers.rows import LayerAuditRow, LayerInfluenceRow
from tests.models.tiny import EXACT, N_NEURONS, random_model, random_panel

OPTIONS = LayerOptions(
    strata=("common", "rare"), contexts=None, n_top=3, n_random=9, target_draws=2, seed=0, batch_size=None
)
PANEL = random_panel(n_contexts=48, per_stratum=130)
"""Enough contexts for the noise of two draws of signs to be small."""


def gentle_model(name, dtype=torch.float64):
    """Weights small enough that a neuron's effect is nearly quadratic, as in networks that were trained."""
    model = random_model(name, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(0.4)
    return model.to(dtype)


def column(columns, name, **where):
    keep = np.all([np.array(columns[key]) == value for key, value in where.items()], axis=0)
    return np.array(columns[name], dtype=object)[keep]


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "gpt2"])
def test_estimates_are_near_the_exact_values_and_the_audited_are_exact(name):
    model, panel = gentle_model(name), PANEL
    result = measure_layers(model, panel, OPTIONS)
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, OPTIONS.strata, None, seed=0)
    means = mean_activation(blocks, sample, batch_size=48)
    exact = ablate(blocks, readout, sample, means, [np.arange(N_NEURONS)] * 2, batch_size=48)
    for layer in range(2):
        for s, stratum in enumerate(OPTIONS.strata):
            for p, part in enumerate(("influence", "influence_within")):
                truth = exact[layer][p][:, sample.stratum == s].mean(1, dtype=np.float64)
                found = column(result.influence, part, layer=layer, stratum=stratum).astype(float)
                where = {"layer": layer, "stratum": stratum}
                audited = column(result.influence, "exact", **where).astype(bool)
                assert audited.sum() == 12
                np.testing.assert_allclose(found[audited], truth[audited], rtol=1e-6, atol=1e-9)
                assert np.sqrt(np.mean((found - truth) ** 2) / np.mean(truth**2)) < 0.15
                low, high = (
                    column(result.influence, f"{part}_{end}", **where).astype(float) for end in ("low", "high")
                )
                assert ((low < found) & (found < high))[~audited].all()
                assert (low == high)[audited].all()


def test_columns_are_those_of_the_rows():
    result = measure_layers(gentle_model("gpt2"), PANEL, OPTIONS)
    for columns, row, n in ((result.influence, LayerInfluenceRow, 2 * 2 * N_NEURONS), (result.audit, LayerAuditRow, 8)):
        assert list(columns) == [field.name for field in fields(row)]
        assert {len(values) for values in columns.values()} == {n}
    assert set(result.audit["status"]) == {"ok"}
    assert result.audit["part"] == ["whole", "within"] * 4
    assert set(result.influence["n_targets"]) == {130}
    for name in ("influence_se", "rms_influence", "influence_within_se"):
        assert all(value > 0 for value in result.influence[name])


def test_the_last_layer_agrees_with_the_certified_engine_on_the_same_contexts():
    model, panel = gentle_model("gpt_neox-sequential", torch.float32), PANEL
    probe = probe_model(model, panel, replace(EXACT, engine="certified", placebo_draws=0))
    result = measure_layers(model, panel, replace(OPTIONS, strata=panel.strata))
    for s, stratum in enumerate(panel.strata):
        bound = probe.truncation_bound[s] + probe.rounding_bound[s]
        for part in ("influence", "influence_within"):
            found = column(result.influence, part, layer=1, stratum=stratum).astype(float)
            half = (column(result.influence, f"{part}_high", layer=1, stratum=stratum) - found).astype(float)
            difference = np.abs(found - getattr(probe, part)[s])
            # Three half-widths of the 90 % intervals, and what the engine certifies; 1e-6 for a pass in float32.
            assert (difference <= 3 * half + bound + 1e-6).all()
            assert np.median(difference / getattr(probe, f"{part}_se")[s]) < 0.1


def test_without_target_draws_the_audited_neurons_say_what_types_add():
    model, panel = gentle_model("gpt2"), PANEL
    drawn, audited = (measure_layers(model, panel, replace(OPTIONS, target_draws=n)) for n in (12, 0))
    assert set(audited.influence["rms_influence"]) == {None}
    factors = [np.array(result.audit["se_type_factor"], dtype=float) for result in (drawn, audited)]
    assert (factors[0] >= 1).all()
    assert (factors[1] >= 1).all()
    # Of one quantity, by two estimates.
    assert np.abs(np.log(factors[0] / factors[1])).max() < np.log(1.5)


def test_a_layer_whose_audit_fails_has_a_status_and_no_numbers(monkeypatch):
    def wrong(*args, **options):
        return [change + 5.0 for change in ablate(*args, **options)]

    monkeypatch.setattr(measure, "ablate", wrong)
    result = measure_layers(gentle_model("gpt2"), PANEL, OPTIONS)
    assert set(result.audit["status"]) == {"inaccurate"} == set(result.influence["status"])
    assert "more than 0.25" in result.audit["reason"][0]
    for columns, names in (
        (result.influence, ("influence", "influence_error", "influence_within_se", "rms_influence")),
        (result.audit, ("total_influence", "mean_square", "conformal_factor")),
    ):
        assert all(set(columns[name]) == {None} for name in names)


def test_one_document_has_no_sampling_error():
    panel = replace(PANEL, document=np.where(PANEL.context == 0, 0, PANEL.document + 1))
    result = measure_layers(gentle_model("gpt2"), panel, replace(OPTIONS, contexts=1))
    assert set(result.influence["influence_se"]) == {None}
    assert set(result.audit["mean_square"]) == {None}


def test_a_stratum_without_targets_has_a_status():
    sample = draw_sample(PANEL, ("common", "rare"), 1, seed=0)
    kept = ~((PANEL.stratum == 2) & np.isin(PANEL.document, sample.document))
    rows = ("context", "position", "target_id", "document", "type_bin", "stratum")
    panel = replace(PANEL, **{name: getattr(PANEL, name)[kept] for name in rows})
    result = measure_layers(gentle_model("gpt2"), panel, replace(OPTIONS, contexts=1))
    assert set(column(result.audit, "status", stratum="rare")) == {"no_targets"}
    assert set(column(result.influence, "influence", stratum="rare")) == {None}
    assert "raise layers.contexts" in column(result.influence, "reason", stratum="rare")[0]


def test_not_a_number_is_a_data_fault():
    model = random_model("gpt2")
    with torch.no_grad():
        model.transformer.h[-1].mlp.c_proj.bias[0] = torch.nan
    with pytest.raises(DataFault, match="not finite on the panel"):
        measure_layers(model, PANEL, OPTIONS)


def test_half_precision_is_refused_with_the_reason():
    with pytest.raises(RequestError, match="cannot be measured in bfloat16: it is made of small differences"):
        measure_layers(random_model("gpt2", dtype=torch.bfloat16), PANEL, OPTIONS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_random": 8}, "n_random=8, but intervals of confidence 0.9 need 9 neurons"),
        ({"n_top": 12}, "n_top=12 and n_random=9, but a layer has 20 neurons"),
        ({"sign_draws": 1}, "sign_draws=1, but their error needs two"),
        ({"strata": ("odd",)}, "stratum 'odd' is not of the panel"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(RequestError, match=message):
        measure_layers(random_model("gpt2"), random_panel(), replace(OPTIONS, **change))


def test_too_little_memory_takes_smaller_batches(monkeypatch):
    model, panel, sizes, told = gentle_model("gpt2"), random_panel(), [], []

    def small(*args, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return estimate(*args, batch_size=batch_size, **options)

    expected = measure_layers(model, panel, OPTIONS)
    monkeypatch.setattr(measure, "estimate", small)
    found = measure_layers(model, panel, replace(OPTIONS, batch_size=7), progress=lambda *now: told.append(now))
    assert sizes == [7, 4, 2]
    np.testing.assert_allclose(found.influence["influence"], expected.influence["influence"], rtol=1e-6, atol=1e-9)
    assert told[-1] == ("ablations", 8, 8)
    assert {what for what, _, _ in told} == {"means", "gradients", "ablations"}
