import numpy as np

from rare_neurons.numerics.kinds.examples import AFTER, BEFORE, Targets, choose_examples

IDS = np.arange(3 * 40).reshape(3, 40)
TARGETS = Targets(IDS, np.array([0, 0, 1, 2, 2]), np.array([3, 30, 38, 20, 21]))
EFFECTS = np.array([[0.1, 0.0], [-0.9, 0.2], [0.5, 0.1], [0.6, 0.9], [0.7, -0.1]])


def examples(n=2):
    options = {"neurons": [7, 9], "stratum": "rare", "sign": "boost"}
    return list(choose_examples(TARGETS, EFFECTS, 2 * EFFECTS, **options, n_examples=n))


def test_the_largest_effects_come_first_and_one_of_a_context():
    rows = examples()
    assert [(r.neuron, r.rank, r.context, r.position) for r in rows] == [
        (7, 1, 0, 30), (7, 2, 2, 21), (9, 1, 2, 20), (9, 2, 0, 30),
    ]  # fmt: skip
    assert [r.effect for r in rows[:2]] == [-0.9, 0.7]
    assert rows[0].activation == -1.8
    assert len(examples(n=10)) == 6  # three contexts


def test_text_around_is_that_of_the_context_and_ends_with_it():
    rows = {(r.context, r.position): r for r in examples(n=3)}
    one = rows[0, 30]
    assert one.target_id == 31
    assert one.before == list(range(31 - BEFORE, 31))
    assert one.after == list(range(32, 32 + AFTER))
    assert rows[1, 38].after == []
    assert rows[1, 38].target_id == 79
