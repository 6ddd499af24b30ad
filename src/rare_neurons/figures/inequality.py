"""How unequal neurons are, over steps."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.by_stratum import Drawn, draw_by_stratum
from rare_neurons.figures.parts.across import AxisName
from rare_neurons.figures.parts.bands import of_columns
from rare_neurons.figures.style import chosen

_NUMBERS = {"effective_number": "effective number\n", "effective_number_within": "effective number\nwithin stratum\n"}
_GINI = "gini"


def plot_inequality(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    column: str | None = None,
    controls: Sequence[str] = (),
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw how unequal neurons are, over steps: effective number, and Gini index beside that of noise.

    Bands are 90 % intervals over documents and token types; the Gini index, which follows signal to noise, has that of
    noise alone beside it instead. `controls` are drawn in grey, `axis` draws over training tokens or overall loss
    instead. `column` of the timeline draws one alone, and then `ax` can be drawn into; `figure` is drawn into instead
    of a new one.
    """
    columns = [
        Drawn(name, label, "neurons", log=True, band=of_columns(f"{name}_low", f"{name}_high"))
        for name, label in _NUMBERS.items()
    ]
    columns.append(Drawn(_GINI, "Gini index\nof |influence|\n", "0 to 1", noise="gini_noise"))
    names = chosen("column", column, [one.column for one in columns])
    columns = [one for one in columns if one.column in names]
    return draw_by_stratum(results, models, "inequality", columns, controls=controls, axis=axis, figure=figure, ax=ax)
