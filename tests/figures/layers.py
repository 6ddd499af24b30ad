"""Rows about layers and intervals with values that a test can work out."""

from collections.abc import Sequence
from itertools import pairwise

from tests.figures.questions import STEPS

LAYERS = (0, 1)
STRATA = ("common", "rare")
UNRESOLVED = 0
"""Step at which no mean square is beyond its noise."""
N_NEURONS = 8


def square(layer: int, step: int) -> float:
    return ((1 + layer) * (1 + step) * 1e-4) ** 2


def of_layers(model: str, panels: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    rows = {name: [] for name in ("layer_audit", "allocation", "allocation_changes")}
    for panel in panels:
        for stratum in STRATA:
            place = {"panel": panel, "model": model, "stratum": stratum, "quarantined": False}
            for step in STEPS:
                for layer in LAYERS:
                    for part in ("whole", "within"):
                        value = square(layer, step)
                        error = value if step == UNRESOLVED else value / 10
                        about = {"step": step, "layer": layer, "part": part}
                        rows["layer_audit"].append(
                            {**place, **about, "mean_square": value, "mean_square_se": error, "se_type_factor": 1.0}
                        )
            for before, step in pairwise(STEPS):
                about = {**place, "step_before": before, "step": step}
                rows["allocation"] += [{**about, **one} for one in account()]
                rows["allocation_changes"] += [
                    {**about, "part": part, "loss_change": change}
                    for part, change in (("whole", -1.0), ("within", 0.5))
                ]
    return rows


def account() -> list[dict[str, object]]:
    """Sum to the change: -1 whole, 0.5 within."""
    rows = [("neuron", 0, -0.75, 0.0), ("neuron", 1, -0.5, 0.25), ("head", 1, 0.125, 0.0)]
    rows += [("embedding", None, 0.0625, 0.125), ("norm", 0, 0.0625, 0.125), ("other", 0, 0.0, 0.0)]
    keys = ("kind", "layer", "allocation", "allocation_within")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def layer_influence(step: int) -> list[dict[str, object]]:
    """Neuron k of layer l has (k + 1)(l + 1) times the step, of alternating sign."""
    rows = []
    for stratum in STRATA:
        for layer in LAYERS:
            for neuron in range(N_NEURONS):
                value = (neuron + 1) * (layer + 1) * step * 1e-4 * (-1) ** neuron
                about = {"stratum": stratum, "layer": layer, "neuron": neuron, "influence_within": value}
                rows.append({**about, "influence_within_error": 1e-5, "influence_within_se": 1e-4})
    return rows
