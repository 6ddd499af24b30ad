"""What was found, as the first page of Snakemake's report: the parts of the summary in reStructuredText."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from rare_neurons.tables import atomic_path

_SPECIAL = re.compile(r"([\\*`|_])")


def write_introduction(output: Path | str, parts: Iterable[RenderableType]) -> None:
    """Write headings, lists of sentences and tables.

    Parameters
    ----------
    output : Path or str
    parts : iterable of Text and Table
        A text is a heading, a table without a header a list of its last column.
    """
    with atomic_path(output) as temporary:
        temporary.write_text("\n".join(_as_rst(part) for part in parts), encoding="utf-8")


def _as_rst(part: RenderableType) -> str:
    if not isinstance(part, Table):
        heading = _plain(part)
        return f"{heading}\n{'-' * len(heading)}\n"
    columns = [[_plain(cell) for cell in column.cells] for column in part.columns]
    if not part.show_header:
        return "".join(f"* {sentence}\n" for sentence in columns[-1])
    if not part.row_count:
        return f"{_plain(part.title or '')}: nothing.\n"
    rows = [[_plain(column.header) for column in part.columns], *map(list, zip(*columns, strict=True))]
    title = f" {_plain(part.title)}" if part.title else ""
    return f".. list-table::{title}\n   :header-rows: 1\n   :widths: auto\n\n" + "".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return "".join(f"   {'* -' if i == 0 else '  -'} {cell}".rstrip() + "\n" for i, cell in enumerate(cells))


def _plain(text: object) -> str:
    """Text on one line in which nothing is markup."""
    words = " ".join((text.plain if isinstance(text, Text) else str(text)).split())
    return _SPECIAL.sub(r"\\\1", words)
