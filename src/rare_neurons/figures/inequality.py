"""How unequal neurons are, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum


def plot_inequality(
    results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw how unequal neurons are, over steps: effective number, and Gini index beside that of noise.

    `figure` is drawn into instead of a new one.
    """
    columns = [
        ("effective_number", "effective number of neurons"),
        ("effective_number_within", "the same, within the stratum"),
        ("gini", "Gini index of |influence|"),
        ("gini_noise", "Gini index of noise alone"),
    ]
    return draw_by_stratum(results, models, "inequality", columns, figure=figure)
