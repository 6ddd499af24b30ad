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


def in_lists(named: Named, *names: str) -> dict[str, object]:
    """Arguments of which `names`, or all, are one path for each checkpoint: a list also where there is one."""
    return {
        name: [value] if isinstance(value, str) and (not names or name in names) else value
        for name, value in arguments(named).items()
    }
