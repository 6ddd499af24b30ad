"""Runs above, controls below: means over the models of each side."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd


def by_side(
    models: Sequence[str], controls: Sequence[str], read: Callable[[Sequence[str]], pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the rows of ``runs`` and of ``controls``, of each only where there are any.

    Parameters
    ----------
    models, controls : sequence of str
    read : callable
        Rows of some models.
    """
    sides = {"runs": models, "controls": [model for model in controls if model not in models]}
    tables = {side: read(names) for side, names in sides.items() if names}
    return {side: table for side, table in tables.items() if len(table)}


def of_side(side: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """Name of the side, on a line of its own, where a title has to say it: not of runs alone."""
    return f"\n{side}" if side == "controls" or len(tables) > 1 else ""
