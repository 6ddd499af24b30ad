"""Each rule by itself, on what the former ones left."""

import numpy as np

from rare_neurons.numerics.integrity.rules import CheckpointRules


def rules_of(place, log_loss=None):
    """A run of one tensor whose weights are a point on a line, so that distances are exact."""
    place = np.asarray(place, dtype=float)
    return CheckpointRules(
        list(range(len(place))),
        distances=np.abs(np.subtract.outer(place, place)),
        projections=place[:, None, None],
        log_loss=np.full(len(place), np.nan) if log_loss is None else np.asarray(log_loss),
    )


def test_a_checkpoint_that_is_not_finite_is_out_of_all_later_rules():
    rules = rules_of([0, 1, np.nan, 3])
    rules.judge_finite()
    assert rules.finite == [0, 1, 3]
    assert rules.status == {2: ("non_finite", "1 tensors hold NaN or infinite entries")}


def test_adjacent_equal_checkpoints_stay_and_others_do_not():
    rules = rules_of([0, 0, 1, 2, 3, 0, 5])
    rules.judge_equal([[str(x)] for x in (0, 0, 1, 2, 3, 0, 5)], 3)
    assert rules.quarantined == {5}
    assert rules.status[5] == ("duplicate", "serves the weights of steps 0, 1")
    assert rules.status[0][0] == rules.status[1][0] == "unchanged"


def test_a_borrowed_tensor_counts_from_a_share_of_the_entries():
    digests = [[f"a{i}", f"b{i}"] for i in range(7)]
    digests[3][1] = digests[6][1]
    place = np.stack([np.arange(7.0), np.arange(7.0)], axis=1)[:, :, None]
    place[3, 1] = place[6, 1]
    for share, found in ((0.2, {3}), (0.3, set())):
        rules = rules_of(np.arange(7))
        rules.projections = place
        rules.judge_partly_equal(digests, np.array([75, 25]), share)
        assert rules.quarantined == found


def test_a_first_checkpoint_far_from_all_is_of_another_run():
    for limit, found in ((30.0, set()), (20.0, {0})):
        rules = rules_of([-25, 0, 1, 2])
        rules.judge_start(limit)
        assert rules.quarantined == found


def test_a_detour_is_left_out_and_its_size_is_kept():
    rules = rules_of([0, 1, 9, 3, 4, 5, 6, 7, 8])
    rules.judge_detours(2.0)
    assert rules.quarantined == {2}
    assert rules.detour[2] == (8 + 6) / 2
    assert rules.detour[4] == 1.0
    assert np.isnan(rules.detour[[0, 8]]).all()


def test_a_loss_out_of_order_is_named():
    loss = 5 - 0.1 * np.arange(12)
    loss[6] += 3
    rules = rules_of(np.arange(12) ** 2, np.log(loss))
    rules.judge_order(max_start_z=6.0, max_canary_z=6.0)
    assert {index: status for index, (status, _) in rules.status.items()} == {6: "loss_outlier"}
    assert rules.canary_z[6] > 6
