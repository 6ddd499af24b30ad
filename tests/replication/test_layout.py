import pytest

from rare_neurons.replication.layout import band, markdown, number, percent, read_numbers, read_rows, significant


def test_a_table_has_its_first_columns_as_text():
    table = markdown(["run", "token", "p"], [["a", "rare", "0.1"]], text=2)
    assert table == "| run | token | p |\n| --- | --- | --: |\n| a | rare | 0.1 |\n"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234.567, 2, "1,234.57"), (-0.5, 1, "−0.5"), (None, 2, "–"), (float("nan"), 2, "–"), (3.0, 0, "3")],
)
def test_numbers(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.000123, "0.00012"), (-1.26, "−1.3"), (0.5, "0.5"), (None, "–"), (float("nan"), "–")]
)
def test_significant_digits(value, text):
    assert significant(value) == text


def test_shares_and_bands():
    assert percent(0.1234) == "12.3 %"
    assert band([*range(101), float("nan")], 0) == "50 (5 – 95)"


def test_a_table_is_read_as_it_was_laid_out():
    rows = [["a", "rare, too", "–"], ["b", "", "0.1 (0.0 – 0.2)"]]
    assert read_rows(markdown(["run", "token", "p"], rows, text=2)) == rows
    assert read_rows("No panel.\n") == []


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("0.37 (0.30 – 0.45)", [0.37, 0.30, 0.45]),
        ("−0.12", [-0.12]),
        ("1,234.5 (16)", [1234.5, 16]),
        ("7 of 19", [7, 19]),
        ("12.5 %", [12.5]),
        ("–", []),
    ],
)
def test_numbers_of_a_cell(cell, values):
    assert read_numbers(cell) == values
    for value in values[:1]:
        assert read_numbers(number(value, 4)) == [value]
