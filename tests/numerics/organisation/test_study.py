import numpy as np
import pytest

from rare_neurons.numerics.organisation.matching import draw_matched_sets, neuron_covariates, placebo_set
from rare_neurons.numerics.organisation.row_correlations import unit_rows
from rare_neurons.numerics.organisation.study import (
    StratumActivity,
    block_design,
    measure_alignment,
    measure_coactivation,
)

N, G, ROWS = 150, 8, 260
CONVENTIONS = ("participation_ratio", "effective_dimension_95", "in_sample_modularity", "cross_modularity_labels")


def layer(seed=0, together=0.0):
    """Neurons of like size and four blocks of rows; the set fires together by a correlation of `together`."""
    rng = np.random.default_rng(seed)
    w_in, w_out = rng.normal(size=(2, N, 20))
    sd = np.exp(rng.normal(0, 0.3, N))
    chosen = np.sort(rng.permutation(N)[:G])
    blocks, designs = [], []
    for _ in range(4):
        x, y = -rng.exponential(1.5, (2, ROWS))
        a = rng.normal(size=(ROWS, N)) + 0.5 * np.outer(x, rng.normal(size=N) > 0)
        own = np.sqrt(together) * rng.normal(size=(ROWS, 1)) + np.sqrt(1 - together) * rng.normal(size=(ROWS, G))
        a[:, chosen] = own if together else a[:, chosen]
        blocks.append(a * sd)
        designs.append(block_design(x, y, rng.integers(16, 127, ROWS)))
    matched = draw_matched_sets(chosen, neuron_covariates(w_in, w_out, sd**2), rng, n_sets=99)
    activity = StratumActivity(blocks, designs, ((0, 3), (1, 2)))
    return rng, activity, matched, placebo_set(w_out, sd**2, G), w_out


def rows_of(together=0.0, seed=0, community_draws=19):
    rng, activity, matched, placebo, _ = layer(seed, together)
    options = {"rng": rng, "stratum": "rare", "sign": "all", "community_draws": community_draws}
    return {(r.quantity, r.residualised): r for r in measure_coactivation(activity, matched, placebo, **options)}


def test_every_quantity_has_a_row_and_conventions_decide_nothing():
    found = rows_of()
    both = {
        "excess_square_correlation", "excess_correlation", "mean_square_correlation", "participation_ratio_rest",
        "participation_ratio", "community_concentration",
    }  # fmt: skip
    assert {q for q, residualised in found if residualised} == both | {"cross_modularity", "cross_modularity_labels"}
    assert {q for q, residualised in found if not residualised} == both - {"participation_ratio_rest"} | {
        "effective_dimension_95", "in_sample_modularity",
    }  # fmt: skip
    assert {r.n_rows for r in found.values()} == {4 * ROWS}
    for (quantity, _), row in found.items():
        drawn = quantity in CONVENTIONS
        assert (row.claim_p is None) == drawn, quantity
        assert (row.status == "drawn_only") == drawn
    claim = found["cross_modularity", True]
    assert claim.claim_p == max(claim.p_value, claim.placebo_p, found["cross_modularity_labels", True].p_value)
    ratio = found["participation_ratio", True]
    assert ratio.null_low < ratio.null_median < ratio.null_high


def test_communities_can_be_left_out():
    assert not {q for q, _ in rows_of(community_draws=0) if q.startswith("cross_modularity")}


def test_a_set_that_fires_together_is_found_beyond_matched_sets_and_placebo():
    found = rows_of(together=0.15)
    for quantity in ("excess_square_correlation", "excess_correlation", "mean_square_correlation"):
        assert found[quantity, True].claim_p == pytest.approx(0.01), quantity
    assert found["community_concentration", True].p_value <= 0.05
    ratio = found["participation_ratio", True]
    assert ratio.value < ratio.null_low


def test_directions_that_are_alike_are_found():
    rng, _, matched, placebo, w_out = layer(3)
    options = {"rng": rng, "stratum": "rare", "sign": "all"}
    none, angles = measure_alignment({"square_cosine": unit_rows(w_out, None)}, matched, placebo, **options)
    assert none.claim_p > 0.05
    assert (angles.quantity, angles.status, angles.n_rows) == ("near_right_angles", "drawn_only", None)
    w_out[matched.chosen] += 2 * rng.normal(size=20)
    alike = next(measure_alignment({"square_cosine": unit_rows(w_out, None)}, matched, placebo, **options))
    assert alike.claim_p == pytest.approx(0.01)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="40 rows of activations in a block, 60 needed"):
        block_design(np.zeros(40), np.zeros(40), np.arange(40))
