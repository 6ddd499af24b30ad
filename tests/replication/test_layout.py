import pytest

from rare_neurons.replication.layout import band, markdown, number, percent, significant


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
