"""From a rule's named inputs, outputs and params to a stage's keyword arguments."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class Named(Protocol):
    """Snakemake's lists of inputs, outputs and params."""

    def items(self) -> Iterable[tuple[str, object]]:
        """Names and values."""


def arguments(*lists: Named | Mapping[str, object]) -> dict[str, object]:
    """Merge named lists; shards by their places, where the inputs are marks of them (`measured`).

    Without ``version``, which only makes Snakemake compute again: stages know the catalogue.
    """
    merged = {name: value for one in lists for name, value in one.items() if name not in ("version", "measured")}
    places = merged.pop("places", None) or {}
    return merged | {name: [path for one in found for path in _paths(*one)] for name, found in places.items()}


def in_lists(named: Named, *names: str) -> dict[str, object]:
    """Arguments of which `names`, or all, are one path for each checkpoint: a list also where there is one."""
    return {
        name: [value] if isinstance(value, str) and (not names or name in names) else value
        for name, value in arguments(named).items()
    }


def _paths(pattern: str, panels: Sequence[str], items: Sequence[int | str]) -> list[str]:
    return [pattern.replace("{panel}", p).replace("{step}", str(one)) for p in panels for one in items]
