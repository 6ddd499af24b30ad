"""Integrity: planted faults in simulated runs are found, named and told from their neighbours."""

from itertools import pairwise

import numpy as np
import pytest

from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.integrity.judge import judge_checkpoints
from rare_neurons.numerics.integrity.limits import IntegrityLimits

LOG_STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]
LONG_STEPS = [*LOG_STEPS, *range(2000, 24001, 1000)]
SIZES = (3000, 1500, 60)
TENSORS = (("t0", (60, 50)), ("t1", (50, 30)), ("t2", (60,)))


def simulate(steps, seed=0):
    """A run whose step size warms up and decays; weights per checkpoint and tensor, and losses."""
    rng = np.random.default_rng(seed)
    weights = [0.02 * rng.standard_normal(n) for n in SIZES]
    run = [weights]
    for before, after in pairwise(steps):
        scale = 1e-3 * min(1, after / 200) * (1 - 0.8 * after / max(1, steps[-1])) * np.sqrt(after - before)
        weights = [w + scale * rng.standard_normal(len(w)) for w in weights]
        run.append(weights)
    loss = (8 - 5 * np.log1p(steps) / np.log(2 + steps[-1])) * (1 + 0.003 * rng.standard_normal(len(steps)))
    return [[w.astype(np.float32) for w in weights] for weights in run], list(loss)


def judge(run, steps, loss=None, **options):
    prints = [[fingerprint_tensor(f"t{j}", w) for j, w in enumerate(weights)] for weights in run]
    projections = np.array([[p.projection for p in row] for row in prints])
    digests = [[p.sha256 for p in row] for row in prints]
    return judge_checkpoints(
        steps,
        projections,
        digests=digests,
        norms=np.array([[p.norm for p in row] for row in prints]),
        tensors=TENSORS,
        canary_loss=loss,
        limits=IntegrityLimits(**options),
    )


def quarantined(verdicts):
    return {v.step: v.status for v in verdicts if v.quarantined}


@pytest.mark.parametrize("steps", [LOG_STEPS, LONG_STEPS, [0, 1000], [0]])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_clean_runs_raise_no_alarm(steps, seed):
    run, loss = simulate(steps, seed)
    verdicts = judge(run, steps, loss)
    assert quarantined(verdicts) == {}
    assert {v.status for v in verdicts} == {"ok"}
    assert [v.step for v in verdicts] == steps
    assert verdicts[0].distance_to_start == 0
    assert verdicts[0].distance_to_previous is None


def test_steps_0_1_2_identical_are_unchanged_and_kept():
    run, loss = simulate(LOG_STEPS)
    run[1] = run[2] = run[0]
    verdicts = judge(run, LOG_STEPS, loss)
    assert [v.status for v in verdicts[:4]] == ["unchanged"] * 3 + ["ok"]
    assert quarantined(verdicts) == {}
    assert verdicts[0].reason == "same weights as steps 1, 2"


@pytest.mark.parametrize("with_loss", [True, False])
@pytest.mark.parametrize(("bad", "true"), [(4, 8), (8, 4), (3, 9), (1, 10), (10, 2)])
def test_of_two_equal_steps_the_one_that_fits_its_neighbours_stays(bad, true, with_loss):
    run, loss = simulate(LOG_STEPS)
    run[bad], loss[bad] = run[true], loss[true]
    verdicts = judge(run, LOG_STEPS, loss if with_loss else None)
    assert quarantined(verdicts) == {LOG_STEPS[bad]: "duplicate"}
    assert verdicts[bad].reason == f"serves the weights of step {LOG_STEPS[true]}"


@pytest.mark.parametrize("bad", [[5], [5, 6, 7], [4, 8], list(range(13, 30))])
def test_final_weights_under_early_names(bad):
    run, loss = simulate(LONG_STEPS)
    for index in bad:
        run[index], loss[index] = run[-1], loss[-1]
    assert quarantined(judge(run, LONG_STEPS, loss)) == {LONG_STEPS[index]: "equal_to_final" for index in bad}


def test_a_long_standstill_in_the_middle_is_not_believed():
    run, loss = simulate(LONG_STEPS)
    for index in range(15, 22):
        run[index] = run[14]
    assert set(quarantined(judge(run, LONG_STEPS, loss))) == {LONG_STEPS[i] for i in range(15, 22)}


def test_a_long_standstill_at_the_start_keeps_step_0():
    run, loss = simulate(LONG_STEPS)
    for index in range(1, 7):
        run[index] = run[0]
    verdicts = judge(run, LONG_STEPS, loss)
    assert quarantined(verdicts) == dict.fromkeys(LONG_STEPS[1:7], "duplicate")
    assert verdicts[6].reason == "serves the weights of step 0"


def test_where_no_place_fits_better_the_final_step_keeps_its_weights():
    run, _ = simulate([0, 1000, 2000])
    verdicts = judge([run[0], run[1], run[0]], [0, 1000, 2000])
    assert quarantined(verdicts) == {0: "equal_to_final"}


def test_a_public_case_of_86_final_era_branches_in_two_files():
    """Steps 0–53000 and a dozen more serve one late file, ten others with the final step a second one."""
    steps = [*LOG_STEPS[:-1], *range(1000, 144000, 1000)]
    run, _ = simulate(steps)
    rounds = (55, 60, 65, 70, 80, 90, 100, 103, 110, 120, 130, 140)
    first = [i for i, s in enumerate(steps) if s <= 53000 or s in {1000 * r for r in rounds}]
    second = [steps.index(1000 * r) for r in (54, 56, 57, 58, 59, 61, 62, 63, 64)]
    late = [run[-1][0], *(w + np.float32(1e-4) for w in run[-1][1:])]  # same embeddings, other layers differ
    for index in first:
        run[index] = late
    for index in second:
        run[index] = run[-1]
    verdicts = judge(run, steps)
    assert {v.step for v in verdicts if v.quarantined} == {steps[i] for i in (*first, *second)}
    assert {v.status for v in verdicts if v.step <= 53000} <= {"duplicate", "partial_duplicate"}
    assert verdicts[-1].status == "ok"


@pytest.mark.parametrize("n_equal", [1, 3])
def test_a_start_from_which_the_run_does_not_descend(n_equal):
    run, loss = simulate(LONG_STEPS)
    foreign = simulate(LONG_STEPS, seed=5)[0][0]
    for index in range(n_equal):
        run[index] = foreign
    verdicts = judge(run, LONG_STEPS, loss)
    assert quarantined(verdicts) == dict.fromkeys(LONG_STEPS[:n_equal], "foreign_start")
    assert "later steps do not descend from it" in verdicts[0].reason


def test_part_of_the_tensors_from_the_final_step():
    run, loss = simulate(LONG_STEPS)
    run[14] = [run[-1][0], *run[14][1:]]
    verdicts = judge(run, LONG_STEPS, loss)
    assert quarantined(verdicts) == {LONG_STEPS[14]: "partial_duplicate"}
    assert verdicts[14].reason == "1 tensors (66% of the entries) are those of step 24000"
    small = [list(weights) for weights in simulate(LONG_STEPS)[0]]
    small[14][2] = small[-1][2]  # 1.3 % of the entries
    assert quarantined(judge(small, LONG_STEPS, loss, min_borrowed=0.02)) == {}


@pytest.mark.parametrize("bad", [[14], [12, 20], [16, 17, 18]])
def test_other_weights_than_any_step_make_a_detour(bad):
    run, loss = simulate(LONG_STEPS)
    other, _ = simulate(LONG_STEPS, seed=9)
    for index in bad:
        run[index] = other[-1 - index % 3]
    assert quarantined(judge(run, LONG_STEPS, loss)) == {LONG_STEPS[index]: "detour" for index in bad}


def test_a_block_of_equal_bad_branches_falls_as_a_whole():
    run, loss = simulate(LONG_STEPS)
    foreign = simulate(LONG_STEPS, seed=9)[0][-1]
    run[14] = run[15] = foreign
    verdicts = judge(run, LONG_STEPS, loss)
    assert quarantined(verdicts) == {LONG_STEPS[14]: "detour", LONG_STEPS[15]: "detour"}
    assert verdicts[14].reason == verdicts[15].reason


def test_nan_weights_leave_the_others_judged():
    run, loss = simulate(LOG_STEPS)
    run[5] = [run[5][0], np.full_like(run[5][1], np.nan), run[5][2]]
    verdicts = judge(run, LOG_STEPS, loss)
    assert quarantined(verdicts) == {16: "non_finite"}
    assert verdicts[5].reason == "1 tensors hold NaN or infinite entries"
    assert verdicts[5].distance_to_start is None
    assert verdicts[6].distance_to_previous > 0


def test_equal_steps_beside_one_that_is_not_finite_are_not_adjacent():
    run, loss = simulate(LOG_STEPS)
    run[6] = [np.full_like(w, np.inf) for w in run[6]]
    run[5], loss[5] = run[7], loss[7]
    found = quarantined(judge(run, LOG_STEPS, loss))
    assert found.pop(32) == "non_finite"
    assert set(found.values()) == {"duplicate"}
    assert set(found) <= {16, 64}  # two apart: which of them is bad may stay open


def test_several_faults_in_one_run_are_told_apart():
    run, loss = simulate(LONG_STEPS)
    for bad, true in ((5, -1), (12, -1), (13, -1), (14, -1), (24, 19)):
        run[bad], loss[bad] = run[true], loss[true]
    run[28] = [run[28][0], np.full_like(run[28][1], np.nan), run[28][2]]
    run[1] = run[2] = run[0]
    found = quarantined(judge(run, LONG_STEPS, loss))
    expected = dict.fromkeys([LONG_STEPS[i] for i in (5, 12, 13, 14)], "equal_to_final")
    assert found == expected | {LONG_STEPS[24]: "duplicate", LONG_STEPS[28]: "non_finite"}


def test_a_loss_and_a_final_distance_out_of_order():
    run, loss = simulate(LONG_STEPS)
    loss[20] *= 2
    assert quarantined(judge(run, LONG_STEPS, loss)) == {LONG_STEPS[20]: "loss_outlier"}
    run, loss = simulate(LONG_STEPS)
    near_start = simulate(LONG_STEPS)[0][6]
    run[-1] = [w + np.float32(1e-6) for w in near_start]  # not any listed step's
    assert quarantined(judge(run, LONG_STEPS)) == {24000: "foreign_end"}
    assert quarantined(judge(run, LONG_STEPS, max_end_distance=1e6, max_turn=2.0)) == {24000: "out_of_order"}


def test_losses_may_be_unknown():
    run, loss = simulate(LONG_STEPS)
    loss[3], loss[9] = None, float("nan")
    verdicts = judge(run, LONG_STEPS, loss)
    assert quarantined(verdicts) == {}
    assert verdicts[3].canary_z is None
    assert verdicts[20].canary_z is not None


def test_wrong_arguments_are_named():
    facts = {"digests": [["a"], ["b"]], "norms": np.ones((2, 1)), "tensors": [("t", (3,))]}
    with pytest.raises(ValueError, match="ascend"):
        judge_checkpoints([5, 5], np.zeros((2, 1, 4)), **facts)
    with pytest.raises(ValueError, match="2 steps and 2 tensors"):
        judge_checkpoints([0, 1], np.zeros((2, 1, 4)), **{**facts, "tensors": [("t", (3,)), ("u", (3,))]})
    with pytest.raises(ValueError, match=r"norms have shape \(1, 1\), but there are 2 steps and 1 tensors"):
        judge_checkpoints([0, 1], np.zeros((2, 1, 4)), **{**facts, "norms": np.ones((1, 1))})
    with pytest.raises(ValueError, match="1 canary losses for 2 steps"):
        judge_checkpoints([0, 1], np.zeros((2, 1, 4)), **facts, canary_loss=[1.0])
