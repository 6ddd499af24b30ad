"""What ablating a neuron does to the loss, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import Drawn, draw_by_stratum
from rare_neurons.figures.parts.across import AxisName
from rare_neurons.figures.parts.bands import of_error, of_square
from rare_neurons.figures.style import chosen

_UNIT = "nats per token"
_LABELS = {
    "rms_influence": "rms influence\n",
    "rms_influence_within": "rms influence\nwithin stratum\n",
    "mean_influence": "mean influence\n",
    "mean_influence_within": "mean influence\nwithin stratum\n",
}


def plot_influence(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    column: str | None = None,
    controls: Sequence[str] = (),
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw what ablating a neuron does to the loss, total and within its stratum, over steps.

    Root mean square over neurons, free of noise and below zero where noise wins, and signed mean; bands are 90 %
    intervals over documents and token types. `controls` are drawn in grey, `axis` draws over training tokens or overall
    loss instead. `column` of the timeline of moments draws one alone, and then `ax` can be drawn into; `figure` is
    drawn into instead of a new one.
    """
    columns = [
        Drawn(name, label, _UNIT, band=of_square(name) if name.startswith("rms") else of_error(name))
        for name, label in _LABELS.items()
        if name in chosen("column", column, _LABELS)
    ]
    return draw_by_stratum(results, models, "moments", columns, controls=controls, axis=axis, figure=figure, ax=ax)
