import pytest

from rare_neurons.checkpoints.schedules import declared_among, steps_of


def test_pythia_has_154_checkpoints():
    steps = steps_of("pythia-all")
    assert len(steps) == 154
    assert steps[:12] == (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
    assert steps[-1] == 143_000


def test_a_shorter_run_ends_with_its_last_step():
    assert steps_of("pythia-all", last=1000)[-2:] == (512, 1000)
    assert steps_of("pythia-all", last=700)[-2:] == (512, 700)
    assert steps_of("pythia-log", last=5000)[-4:] == (1000, 2000, 4000, 5000)


def test_every_kth_keeps_both_ends():
    steps = steps_of({"every": 50})
    assert steps == (0, 40_000, 90_000, 140_000, 143_000)


def test_a_list_is_sorted_and_without_repeats():
    assert steps_of([8, 0, 8]) == (0, 8)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="unknown schedule 'pythia'; known: pythia-all, pythia-log"):
        steps_of("pythia")


def test_declared_steps_are_those_that_a_model_has_in_its_order():
    assert declared_among("none", [0, 2, 4]) == declared_among("all", []) == []
    assert declared_among("all", [0, 2, 4]) == [0, 2, 4]
    assert declared_among(["last", 0, 3], [0, 2, 4]) == [0, 4]
