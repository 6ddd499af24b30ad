from matplotlib.colors import to_hex

from rare_neurons.figures.integrity import plot_integrity
from rare_neurons.figures.style import QUARANTINED, VERDICTS
from tests.figures.tree import HELD, RUNS, STEPS


def test_every_checkpoint_is_a_cell_in_the_colour_of_its_verdict(results):
    figure = plot_integrity(results, RUNS)
    (axis,) = figure.axes
    cells = [bar for bar in axis.patches if bar.get_width() > 0]
    place = {(RUNS[round(bar.get_y() + 0.4)], STEPS[round(bar.get_x() + 0.45)]): bar for bar in cells}
    assert len(place) == len(RUNS) * len(STEPS)
    for checkpoint, bar in place.items():
        assert to_hex(bar.get_facecolor()).upper() == (QUARANTINED if checkpoint == HELD else VERDICTS["ok"])
    assert [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axis.lines] == [([3], [1])]


def test_rows_are_models_columns_are_steps_and_the_legend_names_verdicts(results):
    figure = plot_integrity(results, RUNS)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == list(RUNS)
    assert [label.get_text() for label in axis.get_xticklabels()] == [str(step) for step in STEPS]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ok", "detour", "quarantined"]
