"""Parts of the sentences: what a row is about, ranges and lists in words."""

from collections.abc import Sequence

from rare_neurons.numerics.wording.phrases import enumerated
from rare_neurons.replication.layout import CONTROL, NOISE, number, read_numbers


def kind_of(label: str) -> str:
    """Tell rows of noise, of step 0, of a control and of the last step of a run apart."""
    if label == NOISE:
        return "noise"
    return "control" if CONTROL in label else "step 0" if label.endswith(", step 0") else "last"


def span(values: Sequence[float], digits: int, *, between: str = " to ") -> str:
    """Write the smallest and largest value, once where they are printed alike."""
    if not values:
        return "–"
    low, high = number(min(values), digits), number(max(values), digits)
    return low if low == high else f"{low}{between}{high}"


def listed(parts: Sequence[str]) -> str:
    """Join with commas and a last and; without any, say so."""
    return enumerated(parts) if parts else "none"


def first(cell: str) -> float:
    """Read the first number of a cell."""
    return read_numbers(cell)[0]


def ratio(over: str, under: str) -> float | None:
    """Divide the first numbers of two cells; None where one is missing or the divisor is zero."""
    one, other = read_numbers(over), read_numbers(under)
    return one[0] / other[0] if one and other and other[0] else None
