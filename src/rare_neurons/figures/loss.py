"""Loss over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum


def plot_loss(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw loss by stratum over steps; one line style per model."""
    return draw_by_stratum(results, models, "behaviour", [("loss", "loss (nats per token)")])
