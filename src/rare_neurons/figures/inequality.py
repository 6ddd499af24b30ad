"""How unequal neurons are, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum


def plot_inequality(
    results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw how unequal neurons are, over steps: Gini index and excess kurtosis of their influence.

    `figure` is drawn into instead of a new one.
    """
    columns = [
        ("gini", "Gini index of |influence|"),
        ("participation_ratio", "participation ratio (neurons)"),
        ("excess_kurtosis", "excess kurtosis"),
        ("excess_kurtosis_without_top", "excess kurtosis without the top 3"),
    ]
    return draw_by_stratum(results, models, "inequality", columns, figure=figure)
