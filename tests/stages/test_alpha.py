"""A model of four matrices over six steps, whose exponents a test sets against a null of its own."""

import pytest

from rare_neurons.stages.alpha import write_alpha
from rare_neurons.tables import read_metadata, read_table
from tests.stages.tables import put

STEPS = (0, 1, 2, 4, 8, 16)
DRAWS = [3.0 + i / 1000 for i in range(1000)]
"""Exponents, and ratios, of the null: 3 to 4."""
INSIDE, OUTSIDE = 3.9, 2.5


@pytest.fixture
def place(tmp_path):
    """Write the tables of a model from what each matrix shows at each step."""

    def placed(shown, *, shape=(96, 96), quarantined=()):
        rows = [
            {
                "step": step,
                "layer": layer,
                "matrix": "W_in",
                "rows": shape[0],
                "cols": shape[1],
                "n_eigenvalues": 96,
                "n_tail": 20,
                "frobenius_norm": 1.0,
                "lambda_max_over_median": 3.5,
                "status": "ok",
                "checkpoint_status": "ok",
                "quarantined": step in quarantined,
                **one,
            }
            for layer, lines in enumerate(shown)
            for step, one in zip(STEPS, lines, strict=True)
        ]
        spectra = put(tmp_path, "timelines/spectra", {"model": "m"}, rows)
        of_shape = {"long": 96, "short": 96, "n_draws": 1000, "cut_limit": 0.5}
        draws = {"alpha": DRAWS, "lambda_max_over_median": DRAWS}
        null = put(tmp_path, "alpha_null", {"subject": "s"}, [{**of_shape, **draws}])
        paths = [str(tmp_path / name) for name in ("alpha.parquet", "events.parquet")]
        write_alpha(*paths, spectra=spectra, null=null)
        lines, events = (read_table(path).to_pylist() for path in paths)
        return (
            {(row["layer"], row["step"]): row for row in lines},
            {(row["layer"], row["quantity"]): row for row in events},
            read_metadata(paths[0]),
        )

    return placed


def alphas(*values):
    return [{"alpha": value} for value in values]


def test_each_matrix_is_dated_at_its_share_of_the_level(place):
    late = alphas(INSIDE, INSIDE, OUTSIDE, INSIDE, OUTSIDE, OUTSIDE)
    rows, events, about = place([late, alphas(*[INSIDE] * 6), alphas(*[OUTSIDE] * 6)])
    assert rows[0, 4]["alpha_null_p"] == pytest.approx(902 / 1001)  # 901 draws up to 3.9, itself among them
    assert rows[0, 8]["alpha_null_p"] == pytest.approx(1 / 1001)
    assert rows[0, 0]["alpha_null_median"] == rows[2, 16]["alpha_null_median"] == pytest.approx(3.4995)
    found = {layer: events[layer, "alpha"] for layer in range(3)}
    assert [row["level"] for row in events.values()] == pytest.approx([0.05 / 3] * 6)
    assert [found[layer]["status"] for layer in range(3)] == ["left", "inside", "outside_at_start"]
    assert (found[0]["after_step"], found[0]["by_step"], found[0]["stays"]) == (4, 8, True)
    assert (found[0]["reason"], found[0]["n_checkpoints"]) == (None, 6)
    assert {events[layer, "lambda_max_over_median"]["status"] for layer in range(3)} == {"inside"}
    assert about["params"] == {"level": 0.05, "persistence": 2, "jump": pytest.approx(1 / 3)}


def test_the_largest_eigenvalue_leaves_upwards(place):
    grown = [{"alpha": INSIDE, "lambda_max_over_median": 3.5 if step < 2 else 9.0} for step in STEPS]
    _, events, _ = place([grown])
    assert events[0, "alpha"]["status"] == "inside"
    found = events[0, "lambda_max_over_median"]
    assert (found["status"], found["after_step"], found["by_step"]) == ("left", 1, 2)


def test_quarantined_checkpoints_date_nothing_and_come_between_nothing(place):
    shown = alphas(INSIDE, OUTSIDE, OUTSIDE, INSIDE, OUTSIDE, OUTSIDE)
    rows, events, _ = place([shown], quarantined=(2,))
    assert rows[0, 2]["alpha_null_p"] == pytest.approx(1 / 1001)
    assert rows[0, 2]["quarantined"]
    assert (events[0, "alpha"]["after_step"], events[0, "alpha"]["by_step"]) == (4, 8)
    assert events[0, "alpha"]["n_checkpoints"] == 5
    _, events, _ = place([alphas(INSIDE, *[OUTSIDE] * 5)], quarantined=(0,))
    assert events[0, "alpha"]["status"] == "no_start"


def test_jumps_of_the_tail_are_marked_between_usable_checkpoints(place):
    sizes = (20, 60, 90, 20, None, 55)
    shown = [{"alpha": None if n is None else INSIDE, "n_tail": n} for n in sizes]
    rows, events, _ = place([shown], quarantined=(2,))
    assert [rows[0, step]["xmin_jump"] for step in STEPS] == [None, True, None, True, None, True]
    assert events[0, "alpha"]["n_xmin_jumps"] == 3


def test_what_cannot_be_placed_has_a_status(place):
    unfit = {"alpha": None, "n_tail": None, "status": "no_spread", "reason": "all are equal"}
    rows, events, _ = place([[unfit] * 6])
    assert (rows[0, 0]["status"], rows[0, 0]["reason"]) == ("no_spread", "all are equal")
    assert rows[0, 0]["lambda_null_p"] is not None
    assert events[0, "alpha"]["status"] == "no_start"
    rows, events, _ = place([alphas(*[INSIDE] * 6)], shape=(96, 48))
    assert (rows[0, 0]["status"], rows[0, 0]["lambda_null_p"]) == ("no_null", None)
    assert rows[0, 0]["reason"] == "no null for 96 x 48: no model of the family has it at its first step"
    assert events[0, "alpha"]["level"] == 0.05
    rows, _, _ = place([[{"alpha": INSIDE, "frobenius_norm": 0.3}] * 6])
    assert (rows[0, 0]["status"], rows[0, 0]["alpha_null_p"]) == ("cut_in_bulk", None)
    said = "eigenvalues up to 1.02 mean squared entries are left out of the fit, but the null's tails reach down to 0.5"
    assert rows[0, 0]["reason"] == said
    assert rows[0, 0]["lambda_null_p"] is not None
