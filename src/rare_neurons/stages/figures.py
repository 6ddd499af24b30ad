"""Stage `figures`: the figures of one subject, as PNG and SVG with equal bytes for equal tables."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from rare_neurons.figures.registry import FIGURES
from rare_neurons.tables import atomic_path

DPI = 150
"""Dots per inch of rasters; the layout of both formats is made at it."""

_NO_LAYOUT = {"figure.autolayout": False, "figure.constrained_layout.use": False}


def write_figures(
    *,
    png: Sequence[str],
    svg: Sequence[str],
    names: Sequence[str],
    results: str,
    subject: str,
    models: Sequence[str],
    controls: Sequence[str] = (),
) -> None:
    """Draw every figure of a subject.

    Parameters
    ----------
    png, svg : sequence of str
        Outputs, in the order of `names`.
    names : sequence of str
        Figures, by name in the registry.
    results : str
        The results folder.
    subject : str
    models : sequence of str
        Its runs, drawn together.
    controls : sequence of str
        Models said beside them.
    """
    known = {entry.name: entry for entry in FIGURES}
    for name, raster, vector in zip(names, png, svg, strict=True):
        about = (results, subject, models) if known[name].of_subject else (results, models)
        beside = {"controls": controls} if known[name].with_controls else {}
        figure = known[name].load()(*about, **beside)
        save_figure(figure, png=raster, svg=vector)


def save_figure(figure: Figure, *, png: str, svg: str) -> None:
    """Write a figure in both formats, each whole or not at all."""
    figure.set_dpi(DPI)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
    # Matplotlib otherwise writes a date and random ids.
    with matplotlib.rc_context({**_NO_LAYOUT, "svg.hashsalt": "rare-neurons"}):
        # Both formats keep one layout. With any engine left, saving draws everything once more beforehand, unseen.
        figure.set_layout_engine(None)
        for path, kind, metadata in ((png, "png", None), (svg, "svg", {"Date": None})):
            with atomic_path(Path(path)) as temporary:
                figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
