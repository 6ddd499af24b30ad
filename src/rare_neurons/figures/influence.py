"""What ablating a neuron does to the loss, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import draw_by_stratum
from rare_neurons.figures.parts.across import AxisName


def plot_influence(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    axis: AxisName = "step",
    figure: Figure | None = None,
) -> Figure:
    """Draw what ablating a neuron does to the loss, total and within its stratum, over steps.

    `axis` draws it over training tokens or overall loss instead; `figure` is drawn into instead of a new one.
    """
    columns = [
        ("rms_influence", "rms influence (nats per token)"),
        ("rms_influence_within", "rms influence within stratum\n(nats per token)"),
    ]
    return draw_by_stratum(results, models, "influence", columns, log=True, axis=axis, figure=figure)
