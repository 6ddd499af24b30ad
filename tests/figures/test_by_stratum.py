import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.figures.by_stratum import Drawn, draw_by_stratum
from rare_neurons.figures.parts.bands import of_columns, of_error
from rare_neurons.figures.style import COLOURS, CONTROL
from rare_neurons.results import load_timeline
from rare_neurons.tables import write_table
from tests.figures.tree import CONTROL as OTHER
from tests.figures.tree import HELD, RUNS, STEPS, loss, write_tree

LOSS = [Drawn("loss", "loss", "nats")]
GINI = [Drawn("gini", "Gini", noise="gini_noise"), Drawn("excess_kurtosis", "kurtosis")]


def by_colour(axis, colour, style="-"):
    return [line for line in axis.lines if line.get_color() == colour and line.get_linestyle() == style]


def test_good_checkpoints_make_a_line_and_quarantined_ones_a_cross(results):
    common, rare = draw_by_stratum(results, RUNS, "behaviour", LOSS).axes
    (first,) = by_colour(rare, COLOURS["rare"])
    assert first.get_xdata().tolist() == [0.5, 2, 8, 16]
    assert first.get_ydata().tolist() == [loss(RUNS[0], step, "rare") for step in STEPS]
    (second,) = by_colour(common, COLOURS["common"], "--")
    assert second.get_ydata().tolist()[:-1] == [loss(RUNS[1], step, "common") for step in STEPS[:-1]]
    assert np.isnan(second.get_ydata()[-1])
    for axis, stratum in ((common, "common"), (rare, "rare")):
        crosses = [line for line in axis.lines if line.get_marker() == "x" and len(line.get_xdata())]
        assert [(*line.get_xdata(), *line.get_ydata()) for line in crosses] == [(16, loss(*HELD, stratum))]
        dotted = [line for line in axis.lines if line.get_linestyle() == ":"]
        assert [line.get_xdata() for line in dotted] == [[16, 16]]


def test_controls_are_grey_and_dashed_beside_the_runs(results):
    common, rare = draw_by_stratum(results, RUNS[:1], "behaviour", LOSS, controls=[OTHER, RUNS[0]]).axes
    for axis, stratum in ((common, "common"), (rare, "rare")):
        (control,) = by_colour(axis, CONTROL, "--")
        assert control.get_ydata().tolist() == [loss(OTHER, step, stratum) for step in STEPS]
    legend = rare.figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["common tokens", "rare tokens", "control"]


def test_strata_of_other_names_look_on_their_axes_as_in_the_legend(results, monkeypatch):
    def renamed(*args, **kwargs):
        return load_timeline(*args, **kwargs).replace({"stratum": {"common": "upper", "rare": "lower"}})

    monkeypatch.setattr("rare_neurons.figures.by_stratum.load_timeline", renamed)
    figure = draw_by_stratum(results, RUNS[:1], "behaviour", LOSS)
    explained = [(line.get_color(), line.get_marker()) for line in figure.legends[0].get_lines()[:2]]
    drawn = [(axis.lines[0].get_color(), axis.lines[0].get_marker()) for axis in figure.axes]
    assert drawn == explained
    assert len(set(drawn)) == 2


def test_bands_are_the_ends_of_the_interval(results):
    columns = [Drawn("effective_number", "", band=of_columns("effective_number_low", "effective_number_high"))]
    figure = draw_by_stratum(results, RUNS[:1], "inequality", columns)
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    at_8 = band[band[:, 0] == 8][:, 1]
    assert (at_8.min(), at_8.max()) == (15 - 6, 40 - 16)
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "90 % interval"


def test_noise_alone_is_drawn_thin_beside_the_values(results):
    axis = draw_by_stratum(results, RUNS[:1], "inequality", GINI).axes[0]
    values, noise = by_colour(axis, COLOURS["common"])
    assert noise.get_ydata().tolist() == [0.4] * len(STEPS)
    assert noise.get_linewidth() < values.get_linewidth()


def test_axes_are_labelled_and_the_legend_names_strata_and_runs(results):
    figure = draw_by_stratum(results, RUNS, "behaviour", [Drawn("loss", "loss", "nats", log=True)])
    first, second = figure.axes
    assert (first.get_ylabel(), first.get_xlabel(), first.get_yscale()) == ("loss (nats)", "step", "log")
    assert (first.get_title(), second.get_title()) == ("common tokens", "rare tokens")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "common tokens",
        "rare tokens",
        *RUNS,
        "quarantined step",
        "quarantined value",
    ]


def test_a_logarithmic_axis_leaves_out_what_is_not_above_zero(results):
    column = Drawn("effective_number_within", "", log=True, band=lambda _, table: (table.gini - 1, table.gini + 20))
    axis = draw_by_stratum(results, RUNS[:1], "inequality", [column]).axes[0]
    low, high = axis.get_ylim()
    assert (low, high) == pytest.approx((0.5 * 2, 1.3 * 20.56))  # the intervals go below zero
    below = Drawn("excess_kurtosis_without_top", "", log=True)
    (line,) = by_colour(draw_by_stratum(results, RUNS[:1], "inequality", [below]).axes[0], COLOURS["common"])
    assert np.isnan(line.get_ydata()).tolist() == [True, False, False, False]  # 0 at step 0


def test_where_nothing_is_above_noise_the_axis_says_so(tmp_path):
    results = write_tree(tmp_path)
    path = results / f"timelines/inequality/{RUNS[0]}.parquet"
    table = pq.read_table(path)
    nothing = pa.array([None] * table.num_rows, pa.float64())
    write_table(table.set_column(table.column_names.index("gini"), "gini", nothing), path, {})
    figure = draw_by_stratum(results, RUNS[:1], "inequality", [Drawn("gini", "Gini", log=True)])
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [["nothing told from noise"]] * 2


def test_every_panel_has_its_axes_and_its_name(tmp_path):
    results = write_tree(tmp_path, panels=("heldout", "other"))
    figure = draw_by_stratum(results, RUNS, "inequality", GINI)
    labels = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert labels == ["Gini, heldout", "kurtosis, heldout", "Gini, other", "kurtosis, other"]
    line, _ = by_colour(figure.axes[5], COLOURS["rare"])
    assert np.allclose(line.get_ydata(), [0.4 + step / 100 for step in STEPS])


def test_one_axis_holds_all_strata_of_one_column_and_panel(results, tmp_path):
    axis = Figure().subplots()
    draw_by_stratum(
        results, RUNS[:1], "moments", [Drawn("mean_influence", "", band=of_error("mean_influence"))], ax=axis
    )
    assert {line.get_color() for line in axis.lines if len(line.get_xdata()) == len(STEPS)} == {
        COLOURS["common"],
        COLOURS["rare"],
    }
    results = write_tree(tmp_path, panels=("heldout", "other"))
    with pytest.raises(RequestError, match="one axis for 2 columns and panels; name one column, or give figure="):
        draw_by_stratum(results, RUNS, "behaviour", LOSS, ax=Figure().subplots())
