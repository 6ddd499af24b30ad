"""A pass over a panel: both engines agree, and neither slabs nor blocks change the numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.launches import LaunchCounter
from rare_neurons.errors import RequestError
from rare_neurons.models.influence import certified, panel_pass
from rare_neurons.models.influence.panel_pass import cut_blocks, measure_panel
from rare_neurons.models.influence.plan import Plan, make_plan
from rare_neurons.models.influence.scratch import DEVICE
from rare_neurons.models.readout import FinalBlock
from tests.models.influence.layers import CERTIFIED

COLUMNS = ("influence", "abs_influence", "influence_within")


def test_certified_equals_exact_within_bounds_and_tolerance(layer, exact):
    found = measure_panel(layer, CERTIFIED)
    bound = found["truncation_bound"] + found["rounding_bound"]
    for column in COLUMNS:
        assert (np.abs(found[column] - exact[column]) <= bound).all()
    assert (bound <= np.maximum(1e-7, 0.1 * found["influence_se"])).all()
    assert found["exact_fraction"].mean() < 0.05
    tolerance = 0.2 * exact["influence_se"]
    for column in ("influence_expected", "direct_influence", "abs_direct_influence"):  # no bound of their own
        assert (np.abs(found[column] - exact[column]) <= tolerance).all()


def test_slabs_and_blocks_do_not_change_the_numbers(layer, monkeypatch):
    whole = measure_panel(layer, CERTIFIED)
    plan = Plan(positions=100, neurons=64, product_dtype=torch.bfloat16, gradient_dtype=torch.float32)
    monkeypatch.setattr(panel_pass, "make_plan", lambda *_args: plan)
    parts = measure_panel(layer, CERTIFIED)
    bound = sum(r[b] for r in (whole, parts) for b in ("truncation_bound", "rounding_bound"))
    assert (np.abs(whole["influence"] - parts["influence"]) <= bound).all()
    np.testing.assert_array_equal(whole["cell_n"], parts["cell_n"])


@pytest.fixture
def as_on_a_device(monkeypatch):
    """Chunks of a device; of columns as many blocks as 50,304 make there, and the dtypes of a large layer."""
    chunks = replace(DEVICE, columns=2048 * DEVICE.columns // 50_304)
    coarse = {"product_dtype": torch.bfloat16, "gradient_dtype": torch.float32}
    monkeypatch.setattr(panel_pass, "make_plan", lambda *args: replace(make_plan(*args), chunks=chunks, **coarse))


@pytest.mark.parametrize("tolerance_se", [0.1, 0.001])
def test_chunks_of_a_device_give_the_same_within_bounds(layer, exact, as_on_a_device, tolerance_se):
    found = measure_panel(layer, replace(CERTIFIED, tolerance_se=tolerance_se, placebo_draws=1))
    bound = found["truncation_bound"] + found["rounding_bound"]
    for column in COLUMNS:
        assert (np.abs(found[column] - exact[column]) <= bound).all()
    # The same sums in another order: of float64, over hundreds of targets.
    for column in ("cell_influence_sum", "cell_within_sum"):
        np.testing.assert_allclose(
            found[column].sum((1, 2)) / found["cell_n"].sum((1, 2))[:, None],
            found[column.removeprefix("cell_").removesuffix("_sum").replace("within", "influence_within")],
            rtol=1e-9,
            atol=1e-15,
        )


def test_a_device_is_asked_for_few_launches_and_waits(layer, as_on_a_device):
    settings = replace(CERTIFIED, placebo_draws=4)
    one = panel_pass.SlabPass(layer, slice(None), panel_pass.make_plan(layer, settings), settings)
    steps = one.run()
    next(steps)
    with LaunchCounter() as counter:
        next(steps)
    # With fewer launches than work of a few microseconds each, the products decide.
    assert 1000 < counter.kernels.total() <= 3500
    assert counter.waits.total() <= 30
    assert not counter.kernels["index_add_"]  # atomic there: equal runs would differ


def test_where_most_neurons_were_wide_the_next_block_is_enclosed_once(layer, exact, monkeypatch):
    settings = replace(CERTIFIED, tolerance=1e-10, tolerance_se=1e-4)
    plan = replace(make_plan(layer, settings), positions=64)
    one = panel_pass.SlabPass(layer, slice(None), plan, settings)
    enclosed = []
    estimate = certified._estimate_all
    monkeypatch.setattr(certified, "_estimate_all", lambda *args: enclosed.append(0) or estimate(*args))
    blocks = len(list(one.run()))
    strata = len(layer.panel.strata)
    assert [budget.mostly_wide for budget in one.budgets] == strata * [True]
    assert len(enclosed) == blocks + strata < 2 * blocks  # twice in the first block of each stratum only
    found = one.finish()
    bound = found["truncation_bound"] + found["rounding_bound"]
    for column in COLUMNS:
        assert (np.abs(found[column] - exact[column]) <= bound + 1e-15).all()  # float64 sums of the exact engine


def test_blocks_hold_every_target_once_and_pairs_together(layer):
    rows = np.flatnonzero(layer.panel.stratum == 0)
    pair = layer.panel.pair()[rows] // 2  # more targets a pair
    blocks = cut_blocks(rows, pair, 64)
    assert max(map(len, blocks)) <= 64
    joined = np.concatenate(blocks)
    np.testing.assert_array_equal(np.sort(joined), rows)
    label = pair[np.searchsorted(rows, joined)]
    runs = label[np.flatnonzero(np.append(True, label[1:] != label[:-1]))]
    assert len(runs) == len(np.unique(pair)) < len(rows)
    documents = layer.panel.document
    assert all(len(np.unique(documents[block])) > 0.3 * len(np.unique(documents)) for block in blocks[:-1])


def test_coarser_float32_products_are_refused(layer):
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(RequestError, match="float32_matmul_precision is 'medium'"):
            measure_panel(layer, CERTIFIED)
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_frequency_shift_is_told_from_a_rare_token_neuron(layer):
    """One planted neuron writes the log-unigram direction, one a direction that only rare tokens read."""
    A, rare = layer.readout.A, layer.vocabulary.slices[2]
    log_q, n = layer.unigram.log_q, len(layer.captured.residual)
    shift = torch.linalg.lstsq(A, (log_q - log_q.mean())[:, None]).solution[:, 0]
    signs = torch.zeros(len(A), 1, dtype=torch.float64)
    signs[rare] = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(len(A))[: rare.stop - rare.start, None]
    W = torch.zeros(2, A.shape[1] + 1, dtype=torch.float64)
    W[0, :-1], W[1, -1] = 0.1 * shift, 1.0
    activations = layer.captured.activations[:, :2]
    captured = replace(
        layer.captured,
        residual=torch.cat([layer.captured.residual, torch.zeros(n, 1)], dim=1),
        activations=activations,
        activation_mean=activations.double().mean(0) - 1.0,
    )
    readout = replace(layer.readout, A=torch.cat([A, signs], dim=1))
    planted = replace(layer, readout=readout, block=FinalBlock(W, None, None), captured=captured)
    result = measure_panel(planted, CERTIFIED)
    influence, within, expected = (result[name] for name in ("influence", "influence_within", "influence_expected"))
    assert abs(influence[2, 0]) > 5 * abs(within[2, 0])
    assert abs(influence[2, 0] - expected[2, 0]) < 0.2 * abs(influence[2, 0])
    assert abs(within[2, 1]) > 0.8 * abs(influence[2, 1])
    assert abs(influence[2, 1] - expected[2, 1]) > 0.5 * abs(influence[2, 1])
