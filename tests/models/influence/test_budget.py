"""Pairs are evaluated exactly, largest bound first, until what remains fits the budget."""

import torch

from rare_neurons.models.influence.budget import select_exact


def test_selection_takes_the_largest_until_the_rest_fits():
    bounds = torch.tensor([[4.0, 1.0, torch.inf], [1.0, 1.0, 0.5], [2.0, 1.0, 0.4]])
    chosen = select_exact(bounds, allowed=torch.tensor([3.0, 3.0, 0.4]))
    assert chosen.tolist() == [[True, False, True], [False, False, True], [False, False, False]]
