import numpy as np
import pytest

from rare_neurons.numerics.wording import phrases


def test_counts_are_words_up_to_ten():
    assert [phrases.count(n) for n in (0, 1, 3, 10, 11)] == ["none", "one", "three", "ten", "11"]
    assert [phrases.several(n, "run") for n in (0, 1, 2)] == ["no runs", "one run", "two runs"]


@pytest.mark.parametrize(("k", "n", "words"), [(1, 1, "the one run"), (2, 2, "both runs"), (3, 3, "all three runs")])
def test_all_runs(k, n, words):
    assert phrases.of_runs(k, n) == words
    assert phrases.of_runs(k, n + 1) == f"{phrases.count(k)} of {phrases.several(n + 1, 'run')}"


def test_controls_are_none_some_or_all():
    said = {(k, n): phrases.of_controls(k, n) for n in (1, 2, 3) for k in range(n + 1)}
    assert said[0, 1] == "not in the one control"
    assert said[0, 2] == "in none of the two controls"
    assert said[1, 2] == "in one of two controls"
    assert [said[n, n] for n in (1, 2, 3)] == [
        "in the one control too",
        "in both controls too",
        "in all three controls too",
    ]


def test_parts_are_enumerated():
    assert [phrases.enumerated("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_numbers_say_no_more_than_is_known():
    assert [phrases.probability(p) for p in (0.0002, 0.0012, 0.2)] == ["p < 0.001", "p = 0.0012", "p = 0.2"]
    assert phrases.interval(-0.1, 2e-5, scale="linear") == "[-0.1, +2e-05]"
    assert phrases.interval(0.1, 0.2, scale="linear", signed=False) == "[0.1, 0.2]"
    assert phrases.interval(np.log(0.5), np.log(2), scale="log") == "[0.5, 2]"
    assert phrases.size(-2e-5, scale="linear", unit="nats") == "2e-05 nats"
    assert phrases.size(-np.log(2), scale="log", unit="nats") == "a factor of 2"
    assert phrases.size(1.0, scale="linear", unit="") == "1"


def test_a_p_beside_a_level_is_not_printed_as_the_level():
    said = {p: phrases.p_digits(p) for p in (0.05, 0.0504, 0.04996, 0.0500001, 0.33, 0.3298, 1.0, 0.0002)}
    assert list(said.values()) == ["0.05", "0.0504", "0.04996", "0.0500001", "0.33", "0.33", "1", "< 0.001"]
    assert all((float(text) <= 0.05) == (p <= 0.05) for p, text in said.items() if p > 0.001)


def test_dates_say_what_is_known_of_them():
    assert phrases.after_and_by(8, 1000) == "after step 8 and by step 1,000"
    assert phrases.after_and_by(8, None) == "after step 8"
