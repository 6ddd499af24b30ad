"""The whole account: units and remainder are the change, whoever moved is found, and the line is straight."""

import dataclasses

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.allocation import measure
from rare_neurons.models.allocation.measure import AllocationOptions, measure_allocation
from rare_neurons.numerics.allocation.rows import AllocationChangeRow, AllocationRow
from rare_neurons.numerics.layers.clustered import clustered_mean
from tests.models.allocation.dense import gradients, move, panel_loss, random_update
from tests.models.tiny import NAMES, random_model, random_panel

STRATA = ("common", "rare")
PANEL = random_panel(n_contexts=24)
OPTIONS = AllocationOptions(strata=STRATA, contexts=None, batch_size=None, max_remainder=1e-3, max_halvings=8)
LOSSES = [(stratum, part) for stratum in STRATA for part in ("whole", "within")]
VALUE = {"whole": "allocation", "within": "allocation_within"}


def pair(name, dtype=torch.float64, scale=0.02):
    """Two checkpoints some way apart."""
    before, after = random_model(name, dtype=dtype), random_model(name, dtype=dtype)
    return before, move(after, random_update(before, scale=scale))


def total(rows, stratum, part):
    mine = np.array(rows["stratum"]) == stratum
    return rows[VALUE[part]][mine].sum()


@pytest.mark.parametrize("name", NAMES)
def test_units_and_remainder_are_the_measured_change(name):
    before, after = pair(name)
    found = measure_allocation(before, after, PANEL, OPTIONS)
    changes = found.changes
    assert list(zip(changes["stratum"], changes["part"], strict=True)) == LOSSES
    for k, (stratum, part) in enumerate(LOSSES):
        n = (PANEL.stratum == PANEL.strata.index(stratum)).sum()
        losses = [float(panel_loss(model, PANEL, stratum, part).detach()) / n for model in (before, after)]
        assert changes["n_targets"][k] == n
        np.testing.assert_allclose([changes["loss_before"][k], changes["loss_after"][k]], losses)
        assert changes["loss_change"][k] == pytest.approx(losses[1] - losses[0])
        assert changes["allocated"][k] == pytest.approx(total(found.rows, stratum, part))
        assert changes["allocated"][k] + changes["remainder"][k] == pytest.approx(changes["loss_change"][k])
        # What is asked of large changes; small ones end with one interval, whose own error is far below 0.1 nats.
        asked = 1e-3 * abs(changes["loss_change"][k])
        assert abs(changes["remainder"][k]) <= (asked if abs(changes["loss_change"][k]) > 0.1 else 0.01)
    assert set(changes["status"]) == {"ok"}


def test_neurons_are_given_what_many_nodes_of_dense_gradients_give_them():
    before, after = pair("gpt2", scale=0.1)
    found = measure_allocation(before, after, PANEL, dataclasses.replace(OPTIONS, max_remainder=1e-5))
    assert found.changes["n_intervals"][0] > 1
    update = {name: p.detach() - a.detach() for (name, p), a in zip(
        after.named_parameters(), before.parameters(), strict=True)}  # fmt: skip
    nodes, weights = np.polynomial.legendre.leggauss(24)
    expected = dict.fromkeys(LOSSES, 0.0)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        at = move(random_model("gpt2"), {k: float(node) * v for k, v in update.items()})
        for stratum, part in LOSSES:
            g = gradients(at, lambda m, s=stratum, p=part: panel_loss(m, PANEL, s, p))
            of = lambda name, g=g: (g[name] * update[name]).numpy()  # noqa: E731
            mlp = "transformer.h.1.mlp"
            neuron = of(f"{mlp}.c_fc.weight").sum(0) + of(f"{mlp}.c_fc.bias") + of(f"{mlp}.c_proj.weight").sum(1)
            n = (PANEL.stratum == PANEL.strata.index(stratum)).sum()
            expected[stratum, part] = expected[stratum, part] + weight * neuron / n
    rows = found.rows
    for stratum, part in LOSSES:
        mine = [
            k for k in range(len(rows["kind"]))
            if (rows["layer"][k], rows["kind"][k], rows["stratum"][k]) == (1, "neuron", stratum)
        ]  # fmt: skip
        # The change is accounted for to 1e-5 of itself; a neuron may be out by that of the whole.
        np.testing.assert_allclose(rows[VALUE[part]][mine], expected[stratum, part], atol=1e-4)
        assert np.abs(expected[stratum, part]).max() > 5e-3


def test_a_planted_update_is_attributed_to_its_neurons_and_to_nothing_else():
    before, after = random_model("llama"), random_model("llama")
    with torch.no_grad():
        after.model.layers[0].mlp.up_proj.weight[4] += 0.3
        after.model.layers[0].mlp.down_proj.weight[:, 7] += 0.3
    rows = measure_allocation(before, after, PANEL, OPTIONS).rows
    given = {k for k in range(len(rows["kind"])) if rows["allocation"][k] != 0 or rows["allocation_within"][k] != 0}
    assert {(rows["layer"][k], rows["kind"][k], rows["unit"][k]) for k in given} == {(0, "neuron", 4), (0, "neuron", 7)}
    assert all(rows["allocation_se"][k] == 0 for k in range(len(rows["kind"])) if k not in given)


def test_float32_and_any_batches_give_what_float64_gives():
    exact = measure_allocation(*pair("gpt_neox-parallel"), PANEL, OPTIONS)
    single = measure_allocation(
        *pair("gpt_neox-parallel", torch.float32), PANEL, dataclasses.replace(OPTIONS, batch_size=5)
    )
    for name in ("allocation", "allocation_se", "allocation_within", "allocation_within_se"):
        # Float32 has 1e-7 of each product; sums over 200 targets of size 1 leave 1e-5.
        np.testing.assert_allclose(single.rows[name], exact.rows[name], atol=2e-5)


def test_error_is_that_of_a_mean_over_folds_times_the_factor_of_types():
    before, after = pair("opt", scale=1e-4)
    found = measure_allocation(before, after, PANEL, OPTIONS)
    # Of a step so small that first order is all, a unit's allocation is a mean over targets of gradients times updates.
    rows, update = found.rows, {n: p.detach() - a.detach() for (n, p), a in zip(
        after.named_parameters(), before.parameters(), strict=True)}  # fmt: skip
    mine = np.flatnonzero(PANEL.stratum == 2)
    values = []
    for row in range(len(mine)):
        g = gradients(before, lambda m, row=row: panel_loss(m, PANEL, "rare", "whole", rows=[row]))
        norm = [name for name in g if "decoder.final_layer_norm" in name]
        values.append(sum(float((g[name] * update[name]).sum()) for name in norm))
    fold = PANEL.fold[PANEL.context[mine]]
    k = next(
        k for k in range(len(rows["kind"]))
        if (rows["layer"][k], rows["kind"][k], rows["stratum"][k]) == (None, "norm", "rare")
    )  # fmt: skip
    assert rows["allocation"][k] == pytest.approx(np.mean(values), rel=1e-2)
    by_document = clustered_mean(np.array(values)[:, None], document=fold, target_type=fold)[1][0]
    factor = found.changes["se_type_factor"][LOSSES.index(("rare", "whole"))]
    assert rows["allocation_se"][k] == pytest.approx(by_document * factor, rel=1e-2)


def test_two_lines_by_way_of_a_checkpoint_between():
    before, after = pair("gpt2")
    update = random_update(before)
    straight = move(random_model("gpt2"), {k: 0.4 * v for k, v in update.items()})
    options = dataclasses.replace(OPTIONS, max_halvings=0)
    found = measure_allocation(before, after, PANEL, options, middle=straight)
    # A checkpoint on the line makes two lines of the same one.
    assert found.changes["path_correlation"] == pytest.approx([1.0] * 4, abs=1e-3)
    bent = move(random_model("gpt2"), random_update(before, seed=8, scale=0.05))
    elsewhere = measure_allocation(before, after, PANEL, options, middle=bent)
    assert all(value < 0.99 for value in elsewhere.changes["path_correlation"])
    np.testing.assert_array_equal(elsewhere.rows["allocation"], found.rows["allocation"])


def test_a_remainder_that_stays_too_large_has_a_status_and_a_reason():
    before, after = pair("gpt2", scale=0.3)
    strict = dataclasses.replace(OPTIONS, max_remainder=1e-9, max_halvings=1)
    changes = measure_allocation(before, after, PANEL, strict).changes
    assert changes["n_intervals"][0] == 2
    assert changes["n_nodes"][0] == 9
    large = np.abs(changes["loss_change"]) > 0.1
    assert large.any()
    assert [status == "remainder" for status in changes["status"]] == large.tolist()
    assert all("raise max_halvings" in reason for reason, one in zip(changes["reason"], large, strict=True) if one)


def test_columns_are_those_of_the_tables_and_the_model_is_left_as_it_was():
    before, after = pair("gpt2", torch.float32)
    kept = {name: p.detach().clone() for name, p in before.named_parameters()}
    seen = []
    found = measure_allocation(before, after, PANEL, OPTIONS, lambda *args: seen.append(args))
    assert list(found.rows) == [field.name for field in dataclasses.fields(AllocationRow)]
    assert list(found.changes) == [field.name for field in dataclasses.fields(AllocationChangeRow)]
    assert len({len(column) for column in found.rows.values()}) == 1
    assert all(torch.equal(p, kept[name]) for name, p in before.named_parameters())
    assert seen[0] == ("nodes", 1, 5)
    assert found.changes["path_correlation"] == [None] * 4


def test_half_precision_other_checkpoints_and_nan_are_refused():
    model = random_model("gpt2")
    with pytest.raises(RequestError, match=r"allocation cannot be measured in bfloat16: .* use dtype float32"):
        measure_allocation(model, random_model("gpt2", dtype=torch.bfloat16), PANEL, OPTIONS)
    with pytest.raises(RequestError, match="two checkpoints of one run"):
        measure_allocation(model, random_model("gpt_neox-parallel"), PANEL, OPTIONS)
    broken = random_model("gpt2")
    with torch.no_grad():
        broken.transformer.h[0].mlp.c_fc.bias[0] = torch.nan
    with pytest.raises(DataFault, match="not finite"):
        measure_allocation(model, broken, PANEL, OPTIONS)
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_too_little_memory_halves_the_batches(monkeypatch, capsys):
    expected = measure_allocation(*pair("gpt2"), PANEL, OPTIONS)
    make = measure._Walk

    def small(a, b, panel, size, options):
        if size > 5:
            raise RuntimeError("CUDA out of memory.")
        return make(a, b, panel, size, options)

    monkeypatch.setattr(measure, "_Walk", small)
    found = measure_allocation(*pair("gpt2"), PANEL, dataclasses.replace(OPTIONS, batch_size=8))
    assert "out of memory on cpu: 4 contexts at a time" in capsys.readouterr().err
    np.testing.assert_allclose(found.rows["allocation"], expected.rows["allocation"], atol=1e-12)
