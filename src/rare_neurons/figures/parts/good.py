"""Rows of checkpoints that are not quarantined."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rare_neurons.results import load_integrity


def of_good_checkpoints(results: str | Path, table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Leave out the rows of quarantined checkpoints, and of those without a verdict.

    Parameters
    ----------
    results : str or Path
    table : DataFrame
        With columns ``model`` and ``step``.
    models : sequence of str
        Those whose verdicts are read.
    """
    verdicts = load_integrity(results, models=models)
    return table.merge(verdicts[~verdicts.quarantined][["model", "step"]], on=["model", "step"])
