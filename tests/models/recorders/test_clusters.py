"""Clusters of targets: the streamed pairs against sums that are all kept."""

import numpy as np
import pytest
import torch

from rare_neurons.models.recorders.clusters import Labels, PairClusters
from rare_neurons.numerics.panel.standard_error import cluster_variance
from tests.models.tiny import random_panel

LABELS = np.repeat([3, 0, 2, 1], [2, 5, 1, 4])


@pytest.mark.parametrize("cuts", [[], [1], [2, 7], [3, 4, 5], list(range(1, 12))])
def test_pairs_may_go_on_in_the_next_block(cuts):
    """Wherever the blocks end, within a pair or between two."""
    values = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    counts = np.bincount(LABELS)
    clusters = PairClusters(counts, torch.zeros(3, dtype=torch.float64))
    for rows in np.split(np.arange(12), cuts):
        clusters.add(LABELS[rows], values[torch.from_numpy(rows)])
    sums = np.stack([values[torch.from_numpy(k == LABELS)].sum(0).numpy() for k in range(4)])
    np.testing.assert_allclose(clusters.finish(sums.sum(0)), cluster_variance(sums, counts), rtol=1e-12)


def test_a_pair_that_comes_back_is_refused():
    clusters = PairClusters(np.array([2, 1]), torch.zeros(1, dtype=torch.float64))
    clusters.add(np.array([0, 1]), torch.ones(2, 1, dtype=torch.float64))
    clusters.add(np.array([0]), torch.ones(1, 1, dtype=torch.float64))
    with pytest.raises(ValueError, match="must come one after another"):
        clusters.finish(np.array([3.0]))


def test_labels_of_a_stratum_are_its_documents_types_and_cells():
    panel = random_panel()
    found = Labels.of(panel, 2)
    np.testing.assert_array_equal(panel.stratum[found.rows], 2)
    some = found.rows[[4, 1]]
    at = found.at(some)
    assert (at["document"][0] == at["document"][1]) == (len(set(panel.document[some])) == 1)
    np.testing.assert_array_equal(at["cell"], panel.fold[panel.context[some]] * 12 + panel.type_bin[some])
    for name in ("document", "type", "pair", "cell"):
        assert found.counts[name].sum() == len(found.rows)
