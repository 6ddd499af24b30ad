"""The certified engine never errs by more than it says, pair by pair, and knows its neurons apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.influence_inputs import Shape, synthetic_inputs
from rare_neurons.errors import RequestError
from rare_neurons.models.influence import panel_pass
from rare_neurons.models.influence.budget import Budget, select_exact
from rare_neurons.models.influence.certified import measure_certified
from rare_neurons.models.influence.directions import prepare_directions, project_classes
from rare_neurons.models.influence.exact import measure_exactly
from rare_neurons.models.influence.inputs import EngineSettings
from rare_neurons.models.influence.moments import MomentVisitor
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.plan import Plan
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Norm, Readout, measure_ablation

COLUMNS = ("influence", "abs_influence", "influence_within")
CERTIFIED = EngineSettings(engine="certified", tolerance=1e-7, tolerance_se=0.1, memory_gb=2.0)
EXACT = replace(CERTIFIED, engine="exact")


def random_layer(seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias):
    """A readout with sharp (large `peak`) to flat outputs, and neurons from zero to huge, two of them equal."""
    g = torch.Generator().manual_seed(seed)
    A = peak * torch.randn(n_vocab, d_model, generator=g, dtype=torch.float64)
    b = bias * torch.randn(n_vocab, generator=g, dtype=torch.float64)
    W = strength * torch.randn(n_neurons, d_model, generator=g, dtype=torch.float64)
    W *= torch.exp(2 * torch.randn(n_neurons, 1, generator=g, dtype=torch.float64))
    W[0], W[1] = 0.0, W[-1]
    readout = Readout(Norm(kind, 1e-5), A, b, bool(bias))
    residual = torch.randn(6, d_model, generator=g, dtype=torch.float64)
    delta = torch.randn(6, n_neurons, generator=g, dtype=torch.float64)
    return readout, FinalBlock(W, None, None), residual, delta, torch.randint(n_vocab, (6,), generator=g)


def both_engines(layer, n_classes, dtype, tolerance, gradient_dtype=torch.float64):
    readout, block, residual, delta, target = layer
    labels = np.arange(len(readout.A)) * n_classes // len(readout.A)
    vocabulary = sort_vocabulary(labels, n_strata=n_classes, n_vocab=len(readout.A))
    unigram = make_unigram(np.full(len(labels), -np.log(len(labels))), vocabulary, readout.A.device)
    own_class = int(labels[target[0]])
    own = vocabulary.slices[own_class]
    target = target % (own.stop - own.start) + own.start
    W = readout.norm.centre(block.W_out)
    visitor = MomentVisitor(prepare_directions(readout, W, vocabulary.slices, dtype), gradient_dtype)
    ablation = measure_ablation(readout.norm, block, residual=residual, delta=delta, mlp_output=None)
    tokens = read_tokens(
        readout, vocabulary, unigram, residual=residual, target=target, own_class=own_class, visitor=visitor
    )
    place = {"U_y": readout.A[target] @ W.T, "own": own, "own_class": own_class}
    budget = Budget(
        n_positions=len(target), n_neurons=len(W), tolerance=tolerance, tolerance_se=0.0, device=readout.A.device
    )
    class_U = project_classes(tokens, W)
    certified = measure_certified(tokens, ablation, visitor, class_U=class_U, budget=budget, **place)
    return measure_exactly(tokens, ablation, U=W @ readout.A.T, **place), certified


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    n_vocab=st.integers(3, 80),
    d_model=st.integers(2, 24),
    n_neurons=st.integers(2, 12),
    peak=st.sampled_from([0.0, 0.01, 0.3, 2.0, 30.0]),
    strength=st.sampled_from([1e-6, 1e-3, 3e-2, 1.0, 1e3]),
    kind=st.sampled_from(["layer_norm", "rms_norm", "none"]),
    bias=st.sampled_from([0.0, 1.0, 20.0]),
    n_classes=st.integers(1, 3),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    tolerance=st.sampled_from([0.0, 1e-6, 1e-3, 1e9]),
    gradient_dtype=st.sampled_from([torch.float64, torch.float32]),
)
def test_no_pair_beyond_its_bound(
    seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias, n_classes, dtype, tolerance, gradient_dtype
):
    layer = random_layer(seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias)
    exact, certified = both_engines(layer, n_classes, dtype, tolerance, gradient_dtype)
    bound = certified.truncation + certified.rounding + exact.rounding
    for name in ("total", "within"):
        error = (getattr(certified, name) - getattr(exact, name)).abs()
        assert bool((error <= bound).all()), (name, float((error - bound).max()))
    assert bool(torch.isfinite(certified.total).all())


def test_bounds_are_not_idle():
    """For small effects the bound is a small part of the effect, with no pair exact."""
    layer = random_layer(3, 80, 24, 12, 0.3, 1e-3, "layer_norm", 0.0)
    exact, certified = both_engines(layer, 2, torch.float32, 1e9)
    assert not bool(certified.exact.any())
    assert float(((certified.truncation + certified.rounding) / exact.total.abs().clamp_min(1e-12)).median()) < 1e-2


def test_selection_takes_the_largest_until_the_rest_fits():
    bounds = torch.tensor([[4.0, 1.0, torch.inf], [1.0, 1.0, 0.5], [2.0, 1.0, 0.4]])
    chosen = select_exact(bounds, allowed=torch.tensor([3.0, 3.0, 0.4]))
    assert chosen.tolist() == [[True, False, True], [False, False, True], [False, False, False]]


@pytest.fixture(scope="module")
def layer():
    return synthetic_inputs(Shape(2048, 64, 160, 2, 2), 900, seed=2, median_abs_influence=1e-3)


@pytest.fixture(scope="module")
def exact(layer):
    return measure_panel(layer, EXACT)


def test_certified_equals_exact_within_bounds_and_tolerance(layer, exact):
    certified = measure_panel(layer, CERTIFIED)
    bound = certified["truncation_bound"] + certified["rounding_bound"]
    for column in COLUMNS:
        assert (np.abs(certified[column] - exact[column]) <= bound).all()
    assert (bound <= np.maximum(1e-7, 0.1 * certified["influence_se"])).all()
    assert certified["exact_fraction"].mean() < 0.05
    tolerance = 0.2 * exact["influence_se"]
    for column in ("influence_expected", "direct_influence", "abs_direct_influence"):  # no bound of their own
        assert (np.abs(certified[column] - exact[column]) <= tolerance).all()


def test_slabs_and_blocks_do_not_change_the_numbers(layer, monkeypatch):
    whole = measure_panel(layer, CERTIFIED)
    plan = Plan(positions=100, neurons=64, product_dtype=torch.bfloat16, gradient_dtype=torch.float32)
    monkeypatch.setattr(panel_pass, "make_plan", lambda *_args: plan)
    parts = measure_panel(layer, CERTIFIED)
    bound = sum(r[b] for r in (whole, parts) for b in ("truncation_bound", "rounding_bound"))
    assert (np.abs(whole["influence"] - parts["influence"]) <= bound).all()
    np.testing.assert_array_equal(whole["fold_n"], parts["fold_n"])


def test_a_budget_too_small_is_refused_with_numbers(layer):
    with pytest.raises(RequestError, match=r"memory_gb=0\.001 holds 0 neurons of 160 beside a vocabulary of 2048 x 64"):
        measure_panel(layer, replace(CERTIFIED, memory_gb=0.001))


def test_coarser_float32_products_are_refused(layer):
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(RequestError, match="float32_matmul_precision is 'medium'"):
            measure_panel(layer, CERTIFIED)
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_frequency_shift_is_told_from_a_rare_token_neuron(layer):
    """METHODS §2: one planted neuron writes the log-unigram direction, one a direction that only rare tokens read."""
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
