"""The verdict on every checkpoint."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.style import QUARANTINED, VERDICTS, chosen_models, grid
from rare_neurons.results import load_integrity


def plot_integrity(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the verdict on every checkpoint as a strip: one row per model, one cell per step."""
    models = chosen_models(results, models)
    table = load_integrity(results, models=models, pandas=True)
    steps = sorted(set(table.step))
    figure, axes = grid(1, 1, width=max(5.0, 0.28 * len(steps) + 2), height=0.5 * len(models) + 1.3)
    axis = axes[0, 0]
    shown = {}
    for row, model in enumerate(models):
        for _, verdict in table[table.model == model].iterrows():
            colour = VERDICTS.get(verdict.status, QUARANTINED)
            shown.setdefault(verdict.status, colour)
            axis.barh(row, 0.9, left=steps.index(verdict.step) - 0.45, height=0.8, color=colour)
            if verdict.quarantined:
                axis.plot(steps.index(verdict.step), row, "x", color="black", ms=5)
    every = max(1, len(steps) // 16)
    axis.set_xticks(range(0, len(steps), every), [str(s) for s in steps[::every]], rotation=60)
    axis.set_yticks(range(len(models)), models)
    axis.set(xlabel="step", ylim=(len(models) - 0.5, -0.5))
    handles = [axis.barh(0, 0, color=colour, label=status) for status, colour in shown.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=6, frameon=False)
    return figure
