"""Rows about organisation and kinds with values that a test can work out."""

from collections.abc import Sequence

from tests.figures.layers import LAYERS, STRATA
from tests.figures.questions import STEPS

KINDS = ("dead", "token_detector", "bigram_detector", "trigram_detector", "undecided", "other")


def share(layer: int, step: int, kind: str) -> float:
    """Dead neurons become detectors of tokens in the second layer."""
    rest = {"dead": (16 - step) / 64, "token_detector": layer * step / 64}
    return rest.get(kind, 0.0 if kind != "other" else 1 - sum(rest.values()))


def value(step: int, stratum: str) -> float:
    return (1 + step) * (1 + (stratum == "rare")) * 1e-3


def of_activity(model: str, panels: Sequence[str], held: tuple[str, int]) -> dict[str, list[dict[str, object]]]:
    rows = {"kinds": [], "organisation": []}
    for panel in panels:
        for step in STEPS:
            place = {"panel": panel, "model": model, "step": step, "quarantined": (model, step) == held}
            rows["kinds"] += [
                {**place, "layer": layer, "kind": kind, "counted": layer > 0, "share": share(layer, step, kind)}
                for layer in LAYERS
                for kind in KINDS
            ]
            for stratum in STRATA:
                about = {**place, "stratum": stratum, "sign": "all"}
                rows["organisation"] += [
                    {**about, **_quantity(name, flag, value(step, stratum))}
                    for name in ("excess_square_correlation", "square_cosine")
                    for flag in (False, True)
                ]
    return rows


def _quantity(name: str, residualised: bool, number: float) -> dict[str, object]:
    number = number if residualised and name == "excess_square_correlation" else -1.0
    beside = {"null_low": 0.001, "null_high": 0.002, "placebo_value": number / 2}
    return {"quantity": name, "residualised": residualised, "value": number, **beside}
