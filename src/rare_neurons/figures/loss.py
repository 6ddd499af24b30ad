"""Loss over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import Drawn, draw_by_stratum
from rare_neurons.figures.parts.across import AxisName
from rare_neurons.figures.parts.bands import of_cells


def plot_loss(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw loss by stratum over steps, training tokens or overall loss; one line style per model, controls in grey.

    Bands are 90 % intervals over documents and token types. `figure` is drawn into instead of a new one, or, where the
    results have one panel, `ax`, with all strata together.
    """
    columns = [Drawn("loss", "loss", "nats per token", band=of_cells("behaviour", "loss"))]
    return draw_by_stratum(results, models, "behaviour", columns, controls=controls, axis=axis, figure=figure, ax=ax)
