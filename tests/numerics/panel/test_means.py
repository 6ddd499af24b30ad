"""Means of strata from means of folds."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.means import mean_over_strata, merge_cells


def test_every_target_counts_alike():
    rng = np.random.default_rng(0)
    stratum = np.array(["rare", "common"])[rng.integers(0, 2, 40)]
    n = rng.integers(1, 20, 40)
    targets = [rng.standard_normal(size) for size in n]
    merged = merge_cells(stratum.tolist(), n, {"loss": [x.mean() for x in targets], "size": n})
    for one in merged:
        mine = [x for x, name in zip(targets, stratum, strict=True) if name == one.stratum]
        assert one.means["loss"] == pytest.approx(np.concatenate(mine).mean())
        assert one.n_targets == sum(map(len, mine))
    assert [one.stratum for one in merged] == list(dict.fromkeys(stratum.tolist()))


def test_every_stratum_counts_alike():
    merged = merge_cells(["rare", "common", "common"], [1, 500, 500], {"loss": [9.0, 2.0, 4.0]})
    assert mean_over_strata(merged, "loss") == 6.0
    assert mean_over_strata([], "loss") is None
