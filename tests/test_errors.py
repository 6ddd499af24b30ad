import itertools
from pathlib import Path

import pytest

from rare_neurons.errors import DamagedTable, DataFault, RequestError, do_each, shown


def test_a_damaged_table_names_its_file_and_how():
    error = DamagedTable("results/integrity/m.parquet", "a page has another checksum")
    assert str(error) == "results/integrity/m.parquet is damaged: a page has another checksum"
    assert error.path == Path("results/integrity/m.parquet")


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations((DamagedTable, DataFault, RequestError), 2)))
def test_one_kind_is_never_caught_as_another(one, other):
    assert not issubclass(one, other)


def test_what_a_message_shows_is_escaped_and_short():
    assert shown("a\nb\ud800") == "'a\\nb\\ud800'"
    assert len(shown("x" * 10**6)) <= 120
    deep = []
    for _ in range(10**5):
        deep = [deep]
    assert len(shown(deep)) < 100


def test_one_that_does_not_fit_the_request_is_told_after_the_others():
    done = []

    def work(item):
        if item in (1, 2):
            raise RequestError(f"{item} does not fit")
        done.append(item)

    with pytest.raises(RequestError, match="1 does not fit"):
        do_each(range(4), work)
    assert done == [0, 3]
    do_each([5], work)
    assert done == [0, 3, 5]
