"""From a rule's named inputs, outputs and params to a stage's keyword arguments."""

from collections.abc import Iterable, Mapping
from typing import Protocol


class Named(Protocol):
    """Snakemake's lists of inputs, outputs and params."""

    def items(self) -> Iterable[tuple[str, object]]:
        """Names and values."""


def arguments(*lists: Named | Mapping[str, object]) -> dict[str, object]:
    """Merge named lists, without ``version``, which only makes Snakemake compute again: stages know the catalogue."""
    return {name: value for one in lists for name, value in one.items() if name != "version"}
