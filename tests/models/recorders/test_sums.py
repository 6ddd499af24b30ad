"""Sums of effects against plain loops over the targets of a stratum."""

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.exact import PairEffects
from rare_neurons.models.recorders.sums import ExpectedSums, StratumSums
from rare_neurons.numerics.grid.folds import N_FOLDS
from tests.models.influence.blocks import random_block
from tests.models.tiny import random_panel

N_NEURONS, CPU = 4, torch.device("cpu")


def random_effects(n: int) -> PairEffects:
    g = torch.Generator().manual_seed(0)
    parts = [torch.randn(n, N_NEURONS, generator=g, dtype=torch.float64) for _ in range(6)]
    return PairEffects(*parts, exact=torch.rand(n, N_NEURONS, generator=g) < 0.5)


def part_of(effects: PairEffects, rows: np.ndarray) -> PairEffects:
    return PairEffects(**{name: values[torch.from_numpy(rows)] for name, values in vars(effects).items()})


@pytest.fixture(scope="module")
def panel():
    return random_panel()


@pytest.fixture(scope="module")
def effects(panel):
    return random_effects(len(panel.context))


def in_pairs(panel, stratum):
    """Rows of a stratum, those of one document and type one after another."""
    rows = np.flatnonzero(panel.stratum == stratum)
    return rows[np.argsort(panel.pair()[rows], kind="stable")]


def finished(panel, effects, stratum, blocks):
    sums = StratumSums(panel, stratum, n_neurons=N_NEURONS, device=CPU)
    for rows in blocks:
        sums.add(rows, part_of(effects, rows))
    return sums.finish()


@pytest.mark.parametrize("stratum", [0, 1, 2])
def test_means_parts_and_cells_are_plain_means(panel, effects, stratum):
    rows = in_pairs(panel, stratum)
    found = finished(panel, effects, stratum, [rows[:11], rows[11:]])
    own = part_of(effects, rows)
    plain = {
        "influence": own.total.mean(0),
        "abs_influence": own.total.abs().mean(0),
        "direct_influence": own.direct.mean(0),
        "abs_direct_influence": own.direct.abs().mean(0),
        "influence_within": own.within.mean(0),
        "exact_fraction": own.exact.double().mean(0),
        "truncation_bound": own.truncation.mean(0),
    }
    fold, type_bin = panel.fold[panel.context[rows]], panel.type_bin[rows]
    for name, values in (("influence", own.total), ("influence_within", own.within)):
        plain[f"{name}_a"] = values[(fold < 6) & (type_bin < 6)].mean(0)
        plain[f"{name}_b"] = values[(fold >= 6) & (type_bin >= 6)].mean(0)
    for name, value in plain.items():
        np.testing.assert_allclose(found[name], value.numpy(), atol=1e-14, err_msg=name)
    for a, b in np.ndindex(N_FOLDS, N_FOLDS):
        mine = (fold == a) & (type_bin == b)
        assert found["cell_n"][a, b] == mine.sum()
        np.testing.assert_allclose(found["cell_influence_sum"][a, b], own.total[mine].sum(0).numpy(), atol=1e-13)
        np.testing.assert_allclose(found["cell_within_sum"][a, b], own.within[mine].sum(0).numpy(), atol=1e-13)


@pytest.mark.parametrize(("name", "values"), [("influence_se", "total"), ("influence_within_se", "within")])
def test_the_error_is_that_of_both_ways_of_clustering(panel, effects, name, values):
    """V_document + V_type − V_pair, each G/(G − 1) Σ (sum of a cluster's deviations)² / n²; not below V_pair."""
    rows = in_pairs(panel, 1)
    own = getattr(part_of(effects, rows), values).numpy()
    deviations = own - own.mean(0)

    def variance(labels) -> np.ndarray:
        names = np.unique(labels)
        squares = sum(deviations[labels == name].sum(0) ** 2 for name in names)
        return len(names) / (len(names) - 1) * squares / len(rows) ** 2

    of_pairs = variance(panel.document[rows] * 1000 + panel.target_id[rows])
    assert len(np.unique(panel.pair()[rows])) < len(rows)  # some document has a type twice
    both = variance(panel.document[rows]) + variance(panel.target_id[rows]) - of_pairs
    found = finished(panel, effects, 1, [rows[:7], rows[7:]])[name]
    np.testing.assert_allclose(found, np.sqrt(np.maximum(both, of_pairs)), rtol=1e-10)


def test_expected_influence_against_a_loop_over_every_possible_target():
    """Each column of a class is a target, weighted by its probability: Σ p (loss after less before)."""
    block = random_block()
    f = block.ablation.epsilon[:, :, None] * block.z[:, None] + block.ablation.eta[:, :, None] * (
        block.W @ block.readout.A.T
    )
    after = block.p.log()[:, None] + f
    log_after = after - torch.logsumexp(after, -1, keepdim=True)
    change = block.p.log()[:, None] - log_after  # [pos, neuron, vocab]
    weight = torch.linspace(0.5, 2, len(block.p), dtype=torch.float64)
    weighted = weight[:, None] * block.p
    total = (
        torch.logsumexp(after, -1) - f.gather(-1, block.tokens.target[:, None, None].expand(-1, f.shape[1], 1))[..., 0]
    )
    target_change = f.gather(-1, block.tokens.target[:, None, None].expand(-1, f.shape[1], 1))[..., 0]
    zeros = torch.zeros_like(total)
    effects = PairEffects(total, zeros, zeros, target_change, zeros, zeros, zeros.bool())
    sums = ExpectedSums.zeros(n_classes=3, n_neurons=f.shape[1], device=CPU)
    sums.add(weight, block.tokens, block.ablation, effects, block.tokens.class_A @ block.W.T)
    for k, columns in enumerate(block.vocabulary.slices):
        plain = torch.einsum("pv,pnv->n", weighted[:, columns], change[..., columns]) / weighted[:, columns].sum()
        np.testing.assert_allclose(sums.finish(3)[k], plain.numpy(), atol=1e-11)


def test_a_class_without_mass_has_no_expected_influence():
    found = ExpectedSums.zeros(n_classes=2, n_neurons=N_NEURONS, device=CPU).finish(1)
    assert found.shape == (1, N_NEURONS)
    assert np.isnan(found).all()
