from matplotlib.colors import same_color

from rare_neurons.figures.claims import plot_claims
from rare_neurons.figures.style import COLOURS
from tests.figures.questions import CONTROL, EVIDENCE, QUESTIONS, RUNS, SUBJECT, of_tier
from tests.figures.tree import write_evidence_tables

CIRCLE = "o"


def circles(axis):
    return [line for line in axis.lines if line.get_marker() == CIRCLE]


def test_every_run_and_control_has_its_estimate_and_its_interval(results):
    axes = plot_claims(results, SUBJECT, RUNS).axes[::2]
    assert [axis.get_title(loc="left").lower() for axis in axes] == list(QUESTIONS)
    for axis in axes:
        assert [label.get_text() for label in axis.get_yticklabels()] == [*RUNS, CONTROL]
        assert [line.get_xdata()[0] for line in circles(axis)] == [-1.5] * 3
        bars = [
            list(line.get_xdata()) for line in axis.lines if line.get_linewidth() == 1.6 and line not in circles(axis)
        ]
        assert bars == [[-2, -1]] * 3
        assert axis.get_xlabel() == "change (nats per token)"


def test_what_is_found_is_filled_and_controls_are_grey(results):
    first, *_ = plot_claims(results, SUBJECT, RUNS, question=QUESTIONS[0]).axes
    drawn = circles(first)
    filled = [not same_color(line.get_markerfacecolor(), "white") for line in drawn]
    assert filled == [row.holds for row in EVIDENCE[:3]] == [True, True, False]
    assert [same_color(line.get_color(), COLOURS["rare"]) for line in drawn] == [True, True, False]


def test_what_holds_over_seeds_stands_beside_on_its_own_scale(tmp_path):
    tiers = [
        of_tier(QUESTIONS[0], t, SUBJECT, "all", holds=True, p=0.01, scale="log") for t in ("seeds", "beyond_control")
    ]
    runs = [row for row in EVIDENCE if row.question == QUESTIONS[0] and row.tier == "run"]
    write_evidence_tables(tmp_path, SUBJECT, ["heldout"], {"evidence": [*runs, *tiers], "onsets": [], "turns": []})
    _, beside = plot_claims(tmp_path, SUBJECT).axes
    assert beside.get_xlabel() == "change (log ratio)"
    assert [label.get_text() for label in beside.get_yticklabels()] == ["mean over seeds", "seeds less controls"]


def test_where_seeds_are_too_few_it_says_so(results):
    _, beside = plot_claims(results, SUBJECT, question=QUESTIONS[0]).axes
    assert [text.get_text() for text in beside.texts] == ["over seeds: too few runs"]
