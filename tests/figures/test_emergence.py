from rare_neurons.figures.emergence import plot_emergence
from rare_neurons.figures.style import COLOURS
from tests.figures.tree import ONSETS, RUNS, SUBJECT


def test_an_onset_is_a_bar_between_two_checkpoints_and_a_line_over_its_interval(results):
    (axis,) = plot_emergence(results, SUBJECT, RUNS).axes
    bar, line = axis.lines
    assert bar.get_xdata().tolist() == [2, 8]
    assert list(bar.get_ydata()) == list(line.get_ydata()) == [0, 0]
    assert line.get_xdata().tolist() == [0.5, 16]
    assert bar.get_linewidth() > line.get_linewidth()
    assert bar.get_color() == COLOURS["rare"]


def test_what_is_not_detected_is_said_in_words(results):
    (axis,) = plot_emergence(results, SUBJECT, RUNS).axes
    words = {text.get_position()[1]: text.get_text() for text in axis.texts}
    assert words == {1: "not detected (p = 0.30; an even change of 0.12 would be)", 2: "too few steps"}
    assert [label.get_text() for label in axis.get_yticklabels()] == [quantity for quantity, *_ in ONSETS]
    assert axis.get_title() == "a: onset between two checkpoints"
