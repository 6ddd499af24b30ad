"""How unequal neurons are, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum
from rare_neurons.figures.parts.across import AxisName


def plot_inequality(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    axis: AxisName = "step",
    figure: Figure | None = None,
) -> Figure:
    """Draw how unequal neurons are, over steps: effective number, and Gini index beside that of noise.

    `axis` draws it over training tokens or overall loss instead; `figure` is drawn into instead of a new one.
    """
    columns = [
        ("effective_number", "effective number (neurons)"),
        ("effective_number_within", "effective number\nwithin the stratum (neurons)"),
        ("gini", "Gini index of |influence| (0 to 1)"),
        ("gini_noise", "Gini index of noise alone (0 to 1)"),
    ]
    return draw_by_stratum(results, models, "inequality", columns, axis=axis, figure=figure)
