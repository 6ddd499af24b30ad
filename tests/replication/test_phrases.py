import pytest

from rare_neurons.replication.phrases import first, kind_of, listed, ratio, span


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("half-normal noise", "noise"),
        ("a-seed0, step 0", "step 0"),
        ("a-seed0, step 1,000", "last"),
        ("a-seed0, step 10", "last"),
        ("b (control), step 1,000", "control"),
    ],
)
def test_rows_are_told_apart_by_their_label(label, kind):
    assert kind_of(label) == kind


def test_a_span_is_one_number_where_its_ends_are_printed_alike():
    assert span([0.301, 0.299], 2) == "0.30"
    assert span([3, 1, 2], 1) == "1.0 to 3.0"
    assert span([1, 2], 0, between=" – ") == "1 – 2"
    assert span([], 2) == "–"


def test_lists_and_cells():
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert first("0.4 (16)") == 0.4
    assert ratio("1", "4 (2)") == 0.25
    assert ratio("–", "4") is ratio("1", "–") is ratio("1", "0.00") is None
