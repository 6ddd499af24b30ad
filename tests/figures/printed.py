"""What a reader of the printed figure misses: text that is too small, units, entries of the legend."""

import re

import numpy as np
from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

SMALLEST = 7.0
"""Points, at the size that the figure is made for."""
UNITLESS = {"step", "layer", "neuron", "rank of the neuron", "steps", "training tokens"}
"""Labels of what is counted or named."""
_SUPERSCRIPTS, _RAISED = set("⁰¹³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉"), 0.6
"""Small letters of the font itself and about their share of a full one's size; the square of a unit stays."""
UNIT = re.compile(r"\(.+\)|nats per token")


def too_small(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text.get_text() for text in texts if smallest_letter(text) < SMALLEST]


def smallest_letter(text: Text) -> float:
    """Points; superscripts and subscripts of formulas are smaller than what they stand beside."""
    words, size = text.get_text(), text.get_fontsize()
    if cbook.is_math_text(words):
        _, _, _, letters, _ = MathTextParser("path").parse(words, 72, text.get_fontproperties())
        return min(points for _, points, *_ in letters)
    return _RAISED * size if set(words) & _SUPERSCRIPTS else size


def without_unit(figure: Figure) -> list[str]:
    labels = {label for axis in figure.axes for label in (axis.get_xlabel(), axis.get_ylabel()) if label}
    return sorted(
        label
        for label in labels
        if label.removeprefix("between ") not in UNITLESS and not UNIT.search(label.replace("\n", " "))
    )


def unexplained(figure: Figure) -> list[str]:
    """Colours, line styles and marks that are drawn on some axis and are in no legend of the figure or the axis."""
    common = [handle for legend in figure.legends for handle in legend.legend_handles]
    missing = []
    for axis in figure.axes:
        own = axis.get_legend()
        handles = [*common, *(own.legend_handles if own else [])]
        explained = {look for handle in handles for look in _looks(handle)}
        missing += [look for artist in _drawn(axis) for look in _looks(artist) if look not in explained]
        meshes = [one for one in axis.collections if isinstance(one, QuadMesh)]
        if meshes and not any(one.get_label() == "<colorbar>" for one in figure.axes):
            missing.append("colours of a map")
    return sorted(set(missing))


def _drawn(axis: Axes) -> list[object]:
    if axis.get_label() == "<colorbar>":
        return []
    lines = [line for line in axis.lines if len(line.get_xdata()) and not _is_zero(line)]
    areas = [one for one in axis.collections if isinstance(one, PolyCollection) and len(one.get_paths())]
    return [*lines, *areas, *(bar for bar in axis.patches if bar.get_width() and bar.get_height())]


def _is_zero(line: Line2D) -> bool:
    """Whether a line stands for zero, which its axis names."""
    return any(list(data) == [0, 0] for data in (line.get_xdata(), line.get_ydata()))


def _looks(artist: object) -> list[str]:
    if isinstance(artist, Line2D):
        mark = {"v": "^", "None": ".", "": "."}.get(artist.get_marker(), artist.get_marker())  # rises stand for falls
        style = artist.get_linestyle()
        return [
            f"colour {to_hex(artist.get_color())}",
            *([f"line {style}"] if style not in ("-", "None", "") else []),
            *([f"mark {mark}"] if mark != "." else []),
        ]
    return [f"colour {to_hex(colour)}" for colour in np.atleast_2d(artist.get_facecolor())]
