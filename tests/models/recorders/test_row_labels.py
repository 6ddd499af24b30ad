"""Sums by label, in both orders, against a loop."""

import numpy as np
import pytest
import torch

from rare_neurons.models.recorders.row_labels import RowLabels


@pytest.mark.parametrize("parallel", [False, True])
def test_rows_are_added_where_their_labels_say(parallel):
    rng = np.random.default_rng(0)
    labels, values = rng.integers(0, 9, 200), rng.standard_normal((200, 4))
    labels[labels == 5] = 4  # one that no row has
    start = rng.standard_normal((12, 4))
    expected = start.copy()
    for label, row in zip(labels, values, strict=True):
        expected[label] += row
    sums = torch.from_numpy(start.copy())
    RowLabels(labels, torch.device("cpu"), parallel=parallel).add(sums, torch.from_numpy(values))
    np.testing.assert_allclose(sums.numpy(), expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(sums[5].numpy(), start[5])
    np.testing.assert_array_equal(sums[9:].numpy(), start[9:])
