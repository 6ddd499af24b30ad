"""Sums of rows that share a label, the same in every run on every device."""

from __future__ import annotations

import numpy as np
import torch


class RowLabels:
    """Labels `[row]` of a block's rows, ready for sums of several quantities.

    `index_add_` adds rows one after another on a processor. A device that adds in `parallel` does so atomically, in an
    order that differs from run to run: there the sums of a block are a product with the indicators of its labels.
    """

    def __init__(self, labels: np.ndarray, device: torch.device, *, parallel: bool) -> None:
        self.indicator: torch.Tensor | None = None
        if parallel:
            labels, place = np.unique(labels, return_inverse=True)
            indicator = (place == np.arange(len(labels))[:, None]).astype(np.float64)
            self.indicator = torch.from_numpy(indicator).to(device)
        self.labels = torch.as_tensor(labels, device=device)

    def add(self, sums: torch.Tensor, values: torch.Tensor) -> None:
        """Add the rows of `values` `[row, neuron]`, float64, to the rows of `sums` that their labels name."""
        if self.indicator is None:
            sums.index_add_(0, self.labels, values)
        else:
            found = sums.index_select(0, self.labels).addmm_(self.indicator, values)
            sums.index_copy_(0, self.labels, found)  # every label once: no two writes meet
