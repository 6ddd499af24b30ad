"""Axes and their ticks: numbers that stay as large in print as the letters beside them, without superscripts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullLocator

_NAMES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_PLAIN = (1e-3, 1e3)
"""Ends of a logarithmic axis between which plain numbers are shorter than those with an exponent."""
_FEW = 4
"""Ratio of the ends below which 1, 2 and 5 would leave too few ticks."""
_STEPS = (1, 2, 2.5, 5, 10)
_SMALL = 0.01
"""Below it the power of ten stands once, beside the unit."""


def x(steps: Sequence[int]) -> np.ndarray:
    """Place step 0 on a logarithmic axis: half a step before step 1."""
    steps = np.asarray(steps, dtype=float)
    return np.where(steps == 0, 0.5, steps)


def short(number: float) -> str:
    """Write a count with at most three digits: 512, 1k, 1.02M, 300B."""
    for size, name in _NAMES:
        if abs(number) >= 0.9995 * size:
            return f"{number / size:.3g}{name}"
    return f"{number:.3g}"


def step_axis(axis: Axes, steps: Sequence[int]) -> None:
    """Make the horizontal axis one of training steps, logarithmic but for step 0."""
    axis.set_xscale("log")
    last = max(steps)
    ticks = [0.5, *(10.0**k for k in range(int(np.log10(max(last, 1))) + 1))]
    axis.set_xticks(ticks, ["0", *(short(t) for t in ticks[1:])])
    axis.set_xticks([], minor=True)
    axis.set_xlim(0.4, max(last, 1) * 1.2)
    axis.set_xlabel("step")


def compact(axis: Axes) -> None:
    """Write the numbers and the horizontal label of an axis of many in a figure in smaller letters."""
    axis.tick_params(labelsize=8)
    axis.xaxis.label.set_size(8)


def log_axis(axis: Axis) -> None:
    """Label a logarithmic axis, ``ax.xaxis`` or ``ax.yaxis``, at powers of ten and, in few decades, at 2 and 5 of them.

    Numbers are plain (0.01) or, where the axis goes far from one, have an exponent on the line (1e−5).
    """
    low, high = sorted(axis.get_view_interval())
    axis.set_major_formatter(_Powers())
    if high < _FEW * low:
        axis.set_major_locator(MaxNLocator(4, steps=_STEPS))
    else:
        axis.set_major_locator(LogLocator(subs=(1,) if high / low > 300 else (1, 2, 5), numticks=8))
    axis.set_minor_locator(NullLocator())


class _Powers(Formatter):
    def __call__(self, value: float, pos: int | None = None) -> str:
        if value <= 0:
            return ""
        ends = sorted(self.axis.get_view_interval())
        return power(value, plain=_PLAIN[0] <= ends[0] and ends[1] <= _PLAIN[1] * 10)


def power(value: float, *, plain: bool = False) -> str:
    """Write a number with its power of ten on the line: 1e−4, 2e3; or as a plain number."""
    if plain or value == 0:
        return f"{value:,.6g}".replace("-", "−")
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}".replace("-", "−")


def small_numbers(axis: Axis, label: str, unit: str = "", *, most: int = 6, **text: float) -> None:
    """Label an axis with its unit, and write the power of ten of small numbers beside it.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``, after everything is drawn.
    label : str
        What is drawn; in front of the unit in brackets, or alone where there is no unit.
    unit : str
        Without a label it stands without brackets.
    most : int
        Intervals between ticks.
    **text : float
        Of the label, such as ``fontsize``.
    """
    largest = max(abs(end) for end in axis.get_view_interval())
    exponent = int(np.floor(np.log10(largest))) if 0 < largest < _SMALL else 0
    axis.set_major_locator(MaxNLocator(most, steps=_STEPS))
    axis.set_major_formatter(lambda value, _: f"{value / 10.0**exponent:.3g}".replace("-", "−"))
    scaled = f"{power(10.0**exponent)} {unit}" if exponent else unit
    axis.set_label_text(with_unit(label, scaled), **text)


def with_unit(label: str, unit: str) -> str:
    """Write the unit in brackets behind the label, or on the line that it begins."""
    if not label or not unit:
        return label or unit
    return f"{label}{'' if label[-1].isspace() else ' '}({unit})"
