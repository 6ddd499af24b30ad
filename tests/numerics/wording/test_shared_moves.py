import numpy as np

from rare_neurons.numerics.wording.shared_moves import SharedMove, shared_moves
from tests.numerics.evidence.rows_made import turn

RUNS = ("r0", "r1", "r2")


def test_a_stretch_is_where_enough_runs_move_alike():
    turns = [turn("r0", 0, 8, 1.0), turn("r1", 4, 16, 1.0), turn("r2", 16, 64, 1.0), turn("r2", 64, 128, -1.0)]
    assert shared_moves(turns, runs=RUNS, least=2) == [SharedMove(1, 4, 8, ("r0", "r1"), ())]


def test_turns_that_touch_are_one_stretch_and_controls_are_only_counted():
    turns = [turn("r0", 0, 8, -1.0), turn("r0", 8, 32, -1.0), turn("r1", 0, 32, -2.0)]
    turns += [
        turn("c0", 16, 64, -1.0, "control"),
        turn("c1", 32, 64, -1.0, "control"),
        turn("c2", 0, 32, 1.0, "control"),
    ]
    controls = ("c0", "c1", "c2")
    assert shared_moves(turns, runs=RUNS, controls=controls, least=2) == [SharedMove(-1, 0, 32, ("r0", "r1"), ("c0",))]
    assert shared_moves(turns, runs=RUNS, controls=controls, least=3) == []


def random_turns(rng):
    """Disjoint turns of three runs over eight checkpoints."""
    turns = []
    for run in RUNS:
        ends = np.sort(rng.choice(9, size=2 * rng.integers(0, 4), replace=False))
        turns += [turn(run, int(a), int(b), float(rng.choice([-1, 1]))) for a, b in ends.reshape(-1, 2)]
    return turns


def slow_directions(turns, cell, sign):
    """Runs that move in a direction between a checkpoint and the next, by looking at each."""
    return {t.run for t in turns if t.start <= cell < t.end and np.sign(t.change) == sign}


def test_stretches_are_what_looking_at_every_cell_gives():
    rng = np.random.default_rng(0)
    for _ in range(200):
        turns = random_turns(rng)
        moves = shared_moves(turns, runs=RUNS, least=2)
        for sign in (1, -1):
            covered = {cell for m in moves if m.sign == sign for cell in range(m.start, m.end)}
            assert covered == {cell for cell in range(8) if len(slow_directions(turns, cell, sign)) >= 2}
        for move in moves:
            there = set.union(*(slow_directions(turns, cell, move.sign) for cell in range(move.start, move.end)))
            assert set(move.runs) == there
