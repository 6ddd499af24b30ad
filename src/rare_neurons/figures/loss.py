"""Loss over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum
from rare_neurons.figures.parts.across import AxisName


def plot_loss(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw loss by stratum over steps, training tokens or overall loss; one line style per model.

    `figure` or, where the results have one panel, `ax` is drawn into instead of a new figure.
    """
    columns = [("loss", "loss (nats per token)")]
    return draw_by_stratum(results, models, "behaviour", columns, axis=axis, figure=figure, ax=ax)
