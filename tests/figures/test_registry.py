"""Name, caption, tables and function of every figure fit each other."""

import importlib
import inspect
import pkgutil
import shutil

import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

import rare_neurons
from rare_neurons import figures
from rare_neurons.errors import RequestError
from rare_neurons.figures.registry import FIGURES
from rare_neurons.results import SHARDS
from rare_neurons.tables import write_table
from tests.figures.printed import too_small, unexplained, without_unit
from tests.figures.questions import QUESTIONS
from tests.figures.tree import CONTROL, MODELS, RUNS, SUBJECT

BY_NAME = {entry.name: entry for entry in FIGURES}
SINGLE = {
    "integrity": {},
    "loss": {},
    "alpha": {"matrix": "W_in"},
    "emergence": {"question": QUESTIONS[0]},
    "claims": {"question": QUESTIONS[0]},
    "influence": {"column": "mean_influence"},
    "inequality": {"column": "gini"},
    "lineage": {"shared_with": "last"},
    "layers": {"strata": ["rare"], "part": "within"},
    "layer_neurons": {"strata": ["rare"], "layer": 1},
    "allocation": {"strata": ["rare"], "part": "whole"},
    "kinds": {"layer": 1},
    "organisation": {"models": RUNS[:1], "strata": ["rare"]},
    "rank_curves": {"models": RUNS[:1], "strata": ["rare"]},
    "neuron_steps": {"strata": ["rare"]},
    "rare_common": {"models": RUNS[:1]},
}
"""Figures that an axis can hold, and what makes one axis of them."""
NOT_ALONG = {"integrity", "rank_curves", "claims", "rare_common"}
"""Figures without an axis of training, or of one for each checkpoint whatever it holds."""


def draw(entry, results, **options):
    subject = (SUBJECT,) if entry.of_subject else ()
    return entry.load()(results, *subject, **{"models": RUNS, **options})


def with_tables(results, folder, tables):
    """A tree that holds nothing else."""
    for table in tables:
        shutil.copytree(results / table, folder / table)
    return folder


@pytest.mark.parametrize("entry", FIGURES, ids=lambda e: e.name)
def test_every_entry_has_a_function_and_a_caption(entry):
    assert inspect.getdoc(entry.load())
    assert entry.caption.endswith(".")
    assert entry.tables
    for table in entry.tables:
        assert table in (*SHARDS, "integrity") or table.startswith("timelines/")
    expected = ["results", "subject", "models"] if entry.of_subject else ["results", "models"]
    assert list(inspect.signature(entry.load()).parameters)[: len(expected)] == expected


def test_every_plot_has_one_entry_and_is_public():
    made = [
        f"{name}.{function}"
        for _, name, _ in pkgutil.iter_modules(figures.__path__)
        for function in vars(importlib.import_module(f"rare_neurons.figures.{name}"))
        if function.startswith("plot_")
    ]
    assert sorted(made) == sorted(f"{entry.name}.plot_{entry.name}" for entry in FIGURES)
    assert [name for name in rare_neurons.__all__ if name.startswith("plot_")] == [f"plot_{e.name}" for e in FIGURES]
    assert rare_neurons.plot_loss is BY_NAME["loss"].load()


@pytest.mark.parametrize("entry", FIGURES, ids=lambda e: e.name)
def test_a_figure_reads_its_tables_and_no_other_and_is_drawn_into_the_one_given(entry, results, tmp_path):
    given = Figure(figsize=(7, 5))
    assert draw(entry, with_tables(results, tmp_path / "all", entry.tables), figure=given) is given
    assert given.get_size_inches().tolist() == [7, 5]
    # The figure of the whole tree, which is not given one, has as many.
    assert len(given.axes) == len(draw(entry, results).axes) > 0
    for left_out in entry.tables:
        rest = [table for table in entry.tables if table != left_out]
        folder = with_tables(results, tmp_path / f"without {left_out.replace('/', ' ')}", rest)
        with pytest.raises(RequestError, match=left_out.rsplit("/", 1)[-1]):
            draw(entry, folder)


@pytest.mark.parametrize("entry", FIGURES, ids=lambda e: e.name)
def test_a_single_axis_is_drawn_into_the_one_given(entry, results):
    parameters = inspect.signature(entry.load()).parameters
    assert ("ax" in parameters) == (entry.name in SINGLE)
    if entry.name not in SINGLE:
        return
    given = Figure()
    left, right = given.subplots(1, 2)
    assert draw(entry, results, ax=right, **SINGLE[entry.name]) is given
    assert right.has_data()
    assert not left.has_data()
    assert given.legends == []
    with pytest.raises(ValueError, match="figure= and ax= are both given"):
        draw(entry, results, ax=right, figure=given, **SINGLE[entry.name])
    if SINGLE[entry.name]:
        with pytest.raises(RequestError, match=r"one axis for|no single question"):
            draw(entry, results, ax=right)


@pytest.mark.parametrize("entry", FIGURES, ids=lambda e: e.name)
def test_in_print_all_can_be_read_and_is_explained(entry, results):
    figure = draw(entry, results, **({"controls": [CONTROL]} if entry.with_controls else {}))
    assert too_small(figure) == []
    assert without_unit(figure) == []
    assert unexplained(figure) == []


def test_what_a_reader_would_miss_is_found():
    figure = Figure()
    axis = figure.subplots()
    axis.plot([1, 2], [1, 2], "--x", color="#ff0000")
    axis.set(xlabel="step", ylabel="loss")
    axis.set_title("tiny", fontsize=6)
    axis.text(1, 1, "$10^{-3}$", fontsize=9)  # superscripts have 0.7 of the size
    axis.text(1, 2, "$10^{-3}$", fontsize=10)
    axis.text(2, 1, "10⁻³", fontsize=10)
    assert sorted(too_small(figure)) == ["$10^{-3}$", "10⁻³", "tiny"]
    assert without_unit(figure) == ["loss"]
    assert unexplained(figure) == ["colour #ff0000", "line --", "mark x"]


@pytest.mark.parametrize("entry", FIGURES, ids=lambda e: e.name)
def test_curves_are_drawn_over_tokens_and_loss(entry, results):
    assert ("axis" in inspect.signature(entry.load()).parameters) == (entry.name not in NOT_ALONG)
    if entry.name not in NOT_ALONG:
        for name, label in (("tokens", "training tokens"), ("loss", "loss (nats per token)")):
            figure = draw(entry, results, axis=name)
            assert any(axis.get_xlabel().removeprefix("between ") == label for axis in figure.axes)
            assert not {"step", "between steps"} & {axis.get_xlabel() for axis in figure.axes}
        with pytest.raises(RequestError, match="no axis 'steps'; there: step, tokens, loss"):
            draw(entry, results, axis="steps")


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"integrity"}))
def test_where_every_checkpoint_is_bad_the_figure_says_so(name, results, tmp_path):
    entry = BY_NAME[name]
    folder = with_tables(results, tmp_path / "bad", entry.tables)
    for table in entry.tables:
        for path in [] if table == "integrity" else (folder / table).rglob("*.parquet"):
            write_table(pq.read_table(path).slice(0, 0), path, {})
    figure = draw(entry, folder)
    assert [text.get_text() for text in figure.texts] == ["no checkpoint that could be measured"]
    assert figure.axes == []


def test_all_models_are_drawn_where_none_is_named(results):
    axis = BY_NAME["integrity"].load()(results).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(MODELS)
