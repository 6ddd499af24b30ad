from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from rare_neurons.stages.figures import save_figure, write_figures
from tests.figures.tree import CONTROL, RUNS, SUBJECT, write_tree


def test_figures_are_written_in_both_formats_with_equal_bytes(tmp_path):
    results = write_tree(tmp_path / "results")
    names = ["integrity", "emergence"]  # one of models, one of the subject
    for made in ("one", "two"):
        paths = {kind: [str(tmp_path / made / f"{n}.{kind}") for n in names] for kind in ("png", "svg")}
        write_figures(**paths, names=names, results=str(results), subject=SUBJECT, models=RUNS)
    for name in names:
        assert (tmp_path / f"one/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / f"one/{name}.svg").read_text()
        for kind in ("png", "svg"):
            one, two = ((tmp_path / made / f"{name}.{kind}").read_bytes() for made in ("one", "two"))
            assert one == two


def test_controls_are_said_where_the_figure_takes_them(tmp_path):
    results = write_tree(tmp_path / "results")
    names, svg = ["alpha", "integrity"], [str(tmp_path / f"{name}.svg") for name in ("alpha", "integrity")]
    png = [path.replace("svg", "png") for path in svg]
    about = {"results": str(results), "subject": SUBJECT, "models": RUNS, "controls": [CONTROL]}
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        write_figures(png=png, svg=svg, names=names, **about)
    assert ["control: from" in Path(path).read_text() for path in svg] == [True, False]


def test_a_figure_that_cannot_be_drawn_leaves_nothing(tmp_path):
    figure = Figure()
    figure.text(0.5, 0.5, "$\\broken{$")
    with pytest.raises(ValueError, match="broken"):
        save_figure(figure, png=str(tmp_path / "a.png"), svg=str(tmp_path / "a.svg"))
    assert list(tmp_path.iterdir()) == []
