"""Pairs are evaluated exactly, largest bound first, until what remains fits the budget."""

import pytest
import torch

from rare_neurons.models.influence.budget import LARGEST, SE_SAFETY, Budget, select_exact


def test_selection_takes_the_largest_until_the_rest_fits():
    bounds = torch.tensor([[4.0, 1.0, torch.inf], [1.0, 1.0, 0.5], [2.0, 1.0, 0.4]])
    chosen = select_exact(bounds, allowed=torch.tensor([3.0, 3.0, 0.4]))
    assert chosen.tolist() == [[True, False, True], [False, False, True], [False, False, False]]


@pytest.mark.parametrize("wanted", [1, LARGEST, LARGEST + 1, 200])
def test_few_and_many_large_bounds_are_selected_as_by_sorting_all(wanted):
    """Bounds 1, 2, ... in any order: `wanted` of a column must go, which its largest few tell or do not."""
    n = 300
    column = torch.arange(1, n + 1, dtype=torch.float64)
    places = torch.randperm(n, generator=torch.Generator().manual_seed(wanted))
    chosen = select_exact(column[places][:, None], allowed=column[: n - wanted].sum()[None])
    assert chosen[:, 0].tolist() == (places >= n - wanted).tolist()


def test_what_a_block_leaves_is_allowed_to_the_next():
    budget = Budget(n_positions=100, n_neurons=2, tolerance=0.5, tolerance_se=0.0, device=torch.device("cpu"))
    ones = torch.ones(4, 2, dtype=torch.float64)
    budget.observe(ones, 0 * ones)
    assert budget.allowed().tolist() == [2.0, 2.0]  # 0.5 for each of four positions
    budget.spend(torch.tensor([0.5, 2.0], dtype=torch.float64))
    budget.observe(ones, 0 * ones)
    assert budget.allowed().tolist() == [3.5, 2.0]


def test_the_tolerance_follows_the_standard_error():
    """Effects ±1: variance 1, standard error 1/√100; unknown effects count as none."""
    budget = Budget(n_positions=100, n_neurons=2, tolerance=0.0, tolerance_se=0.2, device=torch.device("cpu"))
    nan = float("nan")
    effects = torch.tensor([[1.0, nan], [-1.0, nan]], dtype=torch.float64)
    budget.observe(effects, torch.zeros(2, 2))
    assert budget.allowed().tolist() == pytest.approx([0.2 * SE_SAFETY * 0.1 * 2, 0.0])


def test_what_is_uncertain_buys_no_tolerance():
    """Middles of enclosures far beyond the effects: only what exceeds the bound counts, here ±1; all or none of inf."""
    budget = Budget(n_positions=100, n_neurons=2, tolerance=0.0, tolerance_se=0.2, device=torch.device("cpu"))
    inf = float("inf")
    effects = torch.tensor([[40.0, inf], [-1.0, 3.0]], dtype=torch.float64)
    budget.observe(effects, torch.tensor([[39.0, inf], [0.0, inf]], dtype=torch.float64))
    assert budget.allowed().tolist() == pytest.approx([0.2 * SE_SAFETY * 0.1 * 2, 0.0])


def test_a_device_that_adds_in_any_order_selects_the_same_pairs():
    bounds = torch.rand(300, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    bounds[3, 1] = torch.inf
    allowed = torch.tensor([0.5, 20.0, 1e3, 0.0, 75.0], dtype=torch.float64)
    plain = select_exact(bounds, allowed=allowed)
    torch.testing.assert_close(select_exact(bounds, allowed=allowed, parallel=True), plain, rtol=0, atol=0)
    assert plain.any(0).tolist() == [True, True, False, True, True]
    assert plain[3, 1]


def test_a_stratum_remembers_what_most_neurons_needed():
    """Wideness is that of the last block, coarseness that of any: float32 does not become finer."""
    budget = Budget(n_positions=100, n_neurons=4, tolerance=0.5, tolerance_se=0.0, device=torch.device("cpu"))
    budget.see_wide(3), budget.see_coarse(3)
    assert (budget.mostly_wide, budget.mostly_coarse) == (True, True)
    budget.see_wide(2), budget.see_coarse(2)
    assert (budget.mostly_wide, budget.mostly_coarse) == (False, True)
