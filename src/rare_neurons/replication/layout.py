"""How the replication's tables are laid out: numbers, shares and bands as text, rows as Markdown, and back."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from rare_neurons.replication.statistics import quantile_band

NOISE = "half-normal noise"
CONTROL = " (control)"
"""Of the label of a run on shuffled text."""
Rows = list[list[str]]
"""Cells of a table as they are printed, without its header."""
_NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]], *, text: int = 1) -> str:
    """Lay out a table whose first columns hold text and the others numbers."""
    lines = [header, [*["---"] * text, *["--:"] * (len(header) - text)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float | None, digits: int = 2) -> str:
    """Write a number, or a dash where there is none."""
    return "–" if value is None or value != value else f"{value:,.{digits}f}".replace("-", "−")


def significant(value: float | None, digits: int = 2) -> str:
    """Write a number with so many digits, however small it is."""
    if value is None or value != value:
        return "–"
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-").replace("-", "−")


def percent(share: float) -> str:
    """Write a share in per cent."""
    return f"{100 * share:.1f} %"


def band(values: Sequence[float], digits: int = 2) -> str:
    """Write the median with the 5 and 95 % quantile."""
    low, median, high = quantile_band(values)
    return f"{number(median, digits)} ({number(low, digits)} – {number(high, digits)})"


def read_rows(table: str) -> Rows:
    """Take the cells of a table from its Markdown."""
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def read_numbers(cell: str) -> list[float]:
    """Read all numbers of a cell in their order; none from a dash."""
    return [float(found.replace(",", "").replace("−", "-")) for found in _NUMBER.findall(cell)]
