"""What a view is, and what it puts on the page."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rare_neurons.atlas.arrays import Packed
    from rare_neurons.atlas.tree import Tree

VIEWS_FOLDER = Path(__file__).parent / "views"


class NothingToShow(Exception):
    """A view has nothing to show of this tree, and why, as a sentence."""


@dataclass(frozen=True)
class Content:
    """What a view puts on the page; see the package's docstring.

    Attributes
    ----------
    charts : mapping
        Vega-Lite specifications by slot, in the order of the page.
    titles : mapping
        Words above a slot: HTML.
    notes : mapping
        Words below a slot: HTML.
    arrays : mapping of str to Packed
    facts : mapping
        Small values, as JSON.
    html : str
        Before the charts.
    columns : int or None
        Charts beside each other; as many as fit where None.
    wide : tuple of str
        Slots that fill a row.
    """

    charts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, Packed] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    html: str = ""
    columns: int | None = None
    wide: tuple[str, ...] = ()

    @staticmethod
    def escaped(text: object) -> str:
        """Return text as HTML."""
        return html.escape(str(text))


@dataclass(frozen=True)
class View:
    """A view of the page.

    Attributes
    ----------
    name : str
        Of its module and script below ``views``.
    section : str
        Heading of the page that it stands under.
    title : str
    caption : str
        What a reader sees and may do, in words.
    tables : tuple of str
        What it reads, by name in the catalogue; ``timelines/{quantity}`` for a quantity's timeline.
    """

    name: str
    section: str
    title: str
    caption: str
    tables: tuple[str, ...]

    def load(self) -> Callable[[Tree], Content]:
        """Import its function."""
        return importlib.import_module(f"rare_neurons.atlas.views.{self.name}").build

    @property
    def script(self) -> str:
        """Text of its script; empty where it has none."""
        path = VIEWS_FOLDER / f"{self.name}.js"
        return path.read_text(encoding="utf-8") if path.is_file() else ""
