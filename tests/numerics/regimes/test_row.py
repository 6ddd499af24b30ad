"""The row of all conventions: what comes in pairs, and what one convention leaves to the others."""

from dataclasses import asdict, fields

from rare_neurons.numerics.regimes.row import RegimeRow

NAMES = {field.name for field in fields(RegimeRow)}


def test_intervals_have_two_sides_and_ratios_a_p():
    lows = {name for name in NAMES if name.endswith("_low")}
    assert {name.removesuffix("_low") + "_high" for name in lows} == {name for name in NAMES if name.endswith("_high")}
    assert {name.removesuffix("_low") for name in lows} == {"plateau_end", "decay_start", "rank_exponent"}
    ratios = {name for name in NAMES if name.startswith("lr_") and not name.endswith("_p")}
    assert {f"{name}_p" for name in ratios} == {name for name in NAMES if name.startswith("lr_")} - ratios
    assert len(ratios) == 4


def test_what_a_convention_does_not_say_is_null_not_zero():
    row = asdict(RegimeRow("all", "tail", 7))
    given = {"sign": "all", "convention": "tail", "n_neurons": 7, "status": "ok"}
    assert {name: value for name, value in row.items() if value is not None} == given
