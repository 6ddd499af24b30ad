import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.influence.change import change_rows, changed_neurons
from rare_neurons.numerics.influence.inequality import effective_neurons
from rare_neurons.numerics.influence.shard import InfluenceShard
from tests.numerics.evidence.worlds import COUNTS, noise

N, K = 200, 5
FLOOR = 0.05
"""Root of the standard error of the mean square of this noise, about."""


def cells(theta, own_noise):
    return CellSums.of(np.moveaxis(COUNTS * (theta[:, None, None] + own_noise), 0, -1), counts=COUNTS)


def planted(rng, *, k):
    """A network with an effect everywhere, and the same with k neurons more; the panel's noise is the same in both."""
    before, shared = 0.15 * rng.standard_normal(N), noise(N, rng)
    after = before.copy()
    after[:k] += 6 * FLOOR * np.sqrt(N / k)
    own = [0.1 * noise(N, rng) for _ in range(2)]
    return [cells(theta, shared + each) for theta, each in zip((before, after), own, strict=True)]


def test_what_was_there_before_is_not_counted():
    rng = np.random.default_rng(0)
    values, changes = [], []
    for _ in range(5):
        first, now = planted(rng, k=K)
        values.append(effective_neurons(now).value)
        changes.append(changed_neurons(now, first).value)
    # A whole layer's effect adds its own to five neurons; in the difference it cancels.
    assert min(values) > 1.3 * K
    assert np.allclose(changes, K, rtol=0.2)


def test_without_a_change_there_is_no_number():
    rng = np.random.default_rng(1)
    first, _ = planted(rng, k=K)
    again = CellSums(first.sums + np.moveaxis(COUNTS * 0.1 * noise(N, rng), 0, -1), COUNTS)
    assert changed_neurons(again, first).status == "unresolved"


def test_other_targets_are_refused():
    first, now = planted(np.random.default_rng(2), k=K)
    with pytest.raises(ValueError, match="needs the same targets"):
        changed_neurons(now, CellSums(first.sums, COUNTS + 1))


def test_every_stratum_has_a_row_with_both_parts():
    first, now = (
        InfluenceShard(
            strata=("rare", "common"),
            influence=np.zeros((2, N)),
            influence_se=np.zeros((2, N)),
            cell_sum=np.stack([each.sums, each.sums]),
            within_sum=np.stack([each.sums / 2, np.ones_like(each.sums)]),
            cell_n=np.stack([COUNTS, COUNTS]),
        )
        for each in planted(np.random.default_rng(3), k=K)
    )
    rare, common = change_rows(now, first, step=16, first_step=1)
    assert [(row.stratum, row.first_step, row.reference_step) for row in (rare, common)] == [
        ("rare", 1, 16),
        ("common", 1, 16),
    ]
    assert rare.effective_number_within == pytest.approx(rare.effective_number)  # no unit of its own
    assert common.effective_number == rare.effective_number
    assert common.effective_number_within_status == "unresolved"
