import numpy as np
import pytest
from matplotlib.colors import same_color

from rare_neurons.figures.emergence import plot_emergence, tier_line
from rare_neurons.figures.findings import load_findings
from rare_neurons.figures.style import COLOURS
from tests.figures.questions import (
    CONTROL,
    COURSES,
    EVIDENCE,
    ONSETS,
    QUESTIONS,
    RUNS,
    STEPS,
    SUBJECT,
    TURNS,
    course,
    of_tier,
    onset,
)
from tests.figures.tree import write, write_evidence_tables, write_tree

GREY = "0.55"


@pytest.fixture
def axes(results):
    return dict(zip(QUESTIONS, plot_emergence(results, SUBJECT, RUNS).axes, strict=True))


def dates(axis):
    """Horizontal bars below the curves: (ends, colour, width)."""
    below = [line for line in axis.lines if line.get_transform() == axis.get_xaxis_transform()]
    bars = [line for line in below if len(set(line.get_ydata())) == 1]  # quarantined steps are upright
    return [(list(bar.get_xdata()), bar.get_color(), bar.get_linewidth()) for bar in bars]


def curves(axis):
    return [line for line in axis.lines if len(line.get_xdata()) == len(STEPS) and line.get_linewidth() < 1]


def test_every_run_and_control_has_a_curve_and_a_band(axes):
    for question, axis in axes.items():
        drawn = curves(axis)
        expected = [[course(question, model, step) for step in STEPS] for model in (CONTROL, *RUNS)]
        assert [line.get_ydata().tolist() for line in drawn] == expected
        colour = COLOURS["common" if "common" in question else "rare"]
        assert [same_color(line.get_color(), c) for line, c in zip(drawn, (GREY, colour, colour), strict=True)] == [
            True
        ] * 3
        assert len({line.get_linestyle() for line in drawn[1:]}) == 2
        bands = [band for band in axis.collections if len(band.get_paths())]
        assert len(bands) == 3
        assert all(line.get_xdata().tolist() == [0.5, 2, 8, 16] for line in drawn)


def test_turns_are_thick_parts_of_the_curve_of_a_run_in_which_a_change_is_found(axes):
    for question, axis in axes.items():
        thick = [(line.get_xdata()[0], line.get_xdata()[-1]) for line in axis.lines if line.get_linewidth() == 2.2]
        marks = [line.get_marker() for line in axis.lines if line.get_marker() in ("^", "v")]
        found = {row.run for row in EVIDENCE if row.question == question and row.tier == "run" and row.holds}
        expected = [turn for turn in TURNS if turn.question == question and turn.run in found]
        assert sorted(thick) == sorted((turn.start or 0.5, turn.end) for turn in expected)
        assert sorted(marks) == sorted("^" if turn.change > 0 else "v" for turn in expected)
    assert TURNS[4].question == QUESTIONS[1]  # it is there, and is not drawn


def test_dates_are_bars_below_the_curves(axes):
    assert dates(axes[QUESTIONS[0]]) == [([2, 8], COLOURS["rare"], 1.6), ([0.5, 8], COLOURS["rare"], 1.6)]
    assert dates(axes[QUESTIONS[1]]) == []
    last = axes[QUESTIONS[2]].get_xlim()[1]
    ends = [ends for ends, *_ in dates(axes[QUESTIONS[2]])]
    assert ends == [[0.5, 2], [0.5, 2], [2, last]]  # the control's end is open
    for axis in axes.values():
        low = axis.get_ylim()[0]
        assert all(line.get_ydata().min() > low for line in curves(axis))


def test_zero_is_drawn_where_values_can_be_below_it(axes):
    level = {
        question: [line for line in axis.lines if list(line.get_ydata()) == [0, 0] and list(line.get_xdata()) == [0, 1]]
        for question, axis in axes.items()
    }
    assert [len(level[question]) for question in QUESTIONS] == [0, 1, 0]


def test_small_values_have_their_power_of_ten_beside_the_unit(axes):
    assert axes[QUESTIONS[0]].get_ylabel() == "nats per token"
    axis = axes[QUESTIONS[1]]
    assert axis.get_ylabel().startswith("1e−3 ")
    assert axis.yaxis.get_major_formatter()(-2.5e-3, 0) == "−2.5"


def test_a_title_names_the_tiers(results, axes):
    few = "– seeds: too few runs\n– beyond control: too few runs"  # a line has room for two
    words = [axis.texts[0].get_text() for axis in axes.values()]
    assert words == [
        f"● run .02   {few}",
        f"○ run .4   {few}",
        f"● run .001   {few}",
    ]
    assert [axis.get_title(loc="left").lower() for axis in axes.values()] == list(QUESTIONS)
    (findings,) = load_findings(results, SUBJECT)
    assert tier_line(findings.questions[0]) == words[0].replace("\n", "   ")


def with_seeds(folder, holds):
    """The first question with a date over seeds, of three runs."""
    question = QUESTIONS[0]
    tier = of_tier(question, "seeds", SUBJECT, "all", holds=holds, p=0.0004 if holds else 0.12)
    dated = onset(question, SUBJECT, "all", sign=-1, after=2, by=8, status="dated", reason=None)
    rows = {
        "evidence": [row for row in EVIDENCE if row.question == question and row.tier == "run"] + [tier],
        "onsets": [row for row in ONSETS if row.question == question and row.role != "all"] + [dated],
        "turns": TURNS,
        "courses": [row for row in COURSES if row.question == question],
    }
    write_evidence_tables(folder, SUBJECT, ["heldout"], rows)
    for model in RUNS:
        verdict = {"model": model, "step": 0, "status": "ok", "reason": None, "quarantined": False}
        write(folder, f"integrity/{model}.parquet", [verdict])
    return plot_emergence(folder, SUBJECT, RUNS).axes[0]


def test_the_date_over_seeds_is_broad_and_shaded_where_the_tier_holds(tmp_path):
    axis = with_seeds(tmp_path / "holds", holds=True)
    assert dates(axis)[0] == ([2, 8], COLOURS["rare"], 4)
    (span,) = axis.patches
    assert (span.get_x(), span.get_width()) == (2, 6)
    assert axis.texts[0].get_text() == "● run .02   ● seeds <.001"
    axis = with_seeds(tmp_path / "fails", holds=False)
    assert [width for *_, width in dates(axis)] == [1.6, 1.6]
    assert list(axis.patches) == []
    assert axis.texts[0].get_text() == "● run .02   ○ seeds .12"


def test_panels_are_named_where_there_are_several(tmp_path):
    figure = plot_emergence(write_tree(tmp_path, panels=("one", "two")), SUBJECT, RUNS)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert len(titles) == 2 * len(QUESTIONS)
    assert [title.rsplit(", ", 1)[1] for title in titles] == ["one"] * 3 + ["two"] * 3


def test_steps_are_named_below_the_lowest_axis_of_each_column(axes):
    named = [axis.get_xlabel() == "step" for axis in axes.values()]
    assert named == [False, True, True]
    assert np.all([axis.get_xlim() == axes[QUESTIONS[0]].get_xlim() for axis in axes.values()])
