import re

import numpy as np
import pytest

from rare_neurons.replication.layout import NOISE, read_rows
from rare_neurons.replication.words import (
    WORDS,
    of_hill,
    of_huber,
    of_inequality,
    of_noise_share,
    of_scatter,
    of_segments,
    of_sets,
    of_window,
)
from rare_neurons.stages.replication import TABLES


def test_every_table_of_the_stage_can_be_said(tree):
    for key, sentences in WORDS.items():
        said = sentences(read_rows(TABLES[key](tree)))
        assert said.endswith("."), key
        assert "nan" not in said, key


def window_row(label, exponent, p="–"):
    return [label, exponent, "0.990", p, "0.4", "0.9", "–"]


def test_exponents_are_counted_where_they_leave_the_range_of_noise():
    rows = [[NOISE, "0.37 (0.30 – 0.45)", "0.985 (0.9 – 1.0)", "–", "–", "–", "–"]]
    rows += [window_row("a, step 0", "0.45"), window_row("b, step 0", "0.46"), window_row("a, step 10", "0.29", "0.05")]
    rows += [window_row("c (control), step 10", "1.68", "0.06")]
    said = of_window(rows)
    assert "in 1 of 2 runs at step 0, 1 of 1 runs at their last step and 1 of 1 controls" in said
    assert "rejects a smooth law in 1 of the 2 rows" in said
    assert "No row had enough" in of_window(rows[:2])


@pytest.mark.parametrize(("draws", "hides"), [("0.12", True), ("0.05", False), ("–", False)])
def test_a_fresh_draw_hides_steps_only_where_it_moves_the_exponent_as_far(draws, hides):
    said = of_scatter([["rare (x)", "8,000", "0.05", draws, "0.10", "0.13"]])
    assert "standard error is 0.50 times" in said
    assert ("cannot tell" in said) == hides
    assert ("two draws at one checkpoint" in said) == (draws != "–")


def test_the_worst_fit_and_all_breakpoints_are_named():
    rows = [["a", "5.2 %", "20.0 %", "74.8 %", "0.48", "0.994"], ["b", "51.5 %", "43.4 %", "5.1 %", "27.16", "0.998"]]
    rows.append(["c", *["–"] * 5])
    said = of_huber(rows)
    assert "R² is 0.994 or more" in said
    assert "plateau takes 5.2 to 51.5 % of the neurons, the decay 5.1 to 74.8 %" in said
    assert "exponent is 0.48 to 27.16" in said


def test_pieces_and_rejections_are_summed_over_models_without_noise():
    noise = [NOISE, "200", "0", "1", "199", "95.5 %", "–", "–"]
    models = [["runs", "6", "1", "0", "5", "66.7 %", "0", "0"], ["control", "33", "0", "0", "33", "97.0 %", "30", "2"]]
    said = of_segments([noise, *models])
    assert "199 of 200 samples of noise and for 38 of 39 curves" in said
    assert "for 2 of 30 (by chance about 1.5)" in said
    assert "None could be put" in of_segments([noise, models[0]])


def test_the_scatter_of_the_hill_index_is_that_of_the_first_and_last_size():
    said = of_hill([["9", "4.00", "8.50", "30.00"], ["19", "1", "1", "1"], ["152", "4.00", "4.45", "5.20"]])
    assert "For 9 neurons the index scatters over a factor of 7.5, for 152 over 1.3" in said
    assert "from 8.50 to 4.45" in said


def set_row(label, below, p, placebo):
    return [label, "W_in", "11.00", "10.00", "0.70", "0.80 (0.70 – 1.00)", below, p, placebo]


def test_a_set_is_beyond_only_where_it_exceeds_random_sets_and_the_placebo():
    rows = [set_row("a", "3 of 12", "0.010", "0.300"), set_row("b", "1 of 12", "0.010", "0.050")]
    rows.append(set_row("c (control)", "5 of 12", "0.200", "0.001"))
    said = of_sets(rows)
    assert "below 95 % of these at 4 of 24 checkpoints of the runs and 5 of 12 checkpoints of the controls" in said
    assert "(p ≤ 0.05 each) in 1 of 2 runs and 0 of 1 controls" in said
    assert "from 11.00 at step 0 to 0.70 in the runs, and from 10.00 to 0.80 in their random sets" in said
    assert "placebo" not in of_sets([set_row("a", "3 of 12", "0.010", "–")])


def inequality_row(label, start, last, *, noise="0.20"):
    return [label, "rare", start, "0.66 (256)", last, noise, "40.0 (256)", "10.0", "26.6", "4.3", "–"]


def test_inequality_has_grown_only_where_its_end_is_above_its_start():
    rows = [
        inequality_row("a", "0.45", "0.50"),
        inequality_row("b", "0.45", "0.40"),
        inequality_row("c (control)", "1", "2"),
    ]
    said = of_inequality(rows)
    assert "On rare tokens the last Gini index is above that of step 0 in 1 of 2 runs and 1 of 1 controls" in said
    assert "gives 10 to 50 % of it" in said
    assert "25 % of the highest kurtosis is left" in said
    assert "Noise with" not in of_inequality([inequality_row("a", "0.45", "0.50", noise="–")])


def test_the_order_of_noise_is_said_of_runs_and_controls_apart():
    said = of_noise_share([["a", "0.51", "101 of 384"], ["b", "–", "1 of 384"], ["c (control)", "0.96", "29 of 384"]])
    assert said.endswith("; 0.96 in the controls, where 8 % of the neurons are beyond 3 errors.")
    assert "0.51 in the runs, where 0 to 26 %" in said


def test_counts_said_are_counts_of_rows():
    rng = np.random.default_rng(0)
    for _ in range(50):
        exponents = rng.uniform(0, 1, 6).round(2)
        labels = [f"{'c (control)' if k > 3 else 'a'}, step {0 if k < 2 else 10}" for k in range(6)]
        rows = [[NOISE, "0.5 (0.3 – 0.7)", "0.9", "–", "–", "–", "–"]]
        rows += [window_row(label, f"{e:.2f}") for label, e in zip(labels, exponents, strict=True)]
        counts = [int(n) for n in re.findall(r"(\d) of \d (?:runs|controls)", of_window(rows))]
        outside = (exponents < 0.3) | (exponents > 0.7)
        assert counts == [outside[:2].sum(), outside[2:4].sum(), outside[4:].sum()]
