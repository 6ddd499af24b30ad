"""What the influence of all neurons of a layer amounts to, free of noise: mean and root mean square over neurons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, OfStratum
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts

_NATS = "nats per token"
_SQUARE = "two-way standard error of the mean square"


@dataclass(frozen=True)
class MomentSummary:
    """Moments of one stratum; of `rms_*` the signed root of the noise-free mean square."""

    mean_influence: Annotated[float, Column(_NATS, "mean over neurons of the signed influence", dated=True)]
    mean_influence_se: Annotated[float, Column(_NATS, "its standard error over documents and token types")]
    mean_influence_within: Annotated[float, Column(_NATS, "the same of the within-stratum part", dated=True)]
    mean_influence_within_se: Annotated[float, Column(_NATS, "its standard error")]
    rms_influence: Annotated[
        float, Column(_NATS, "root mean square over neurons without noise; below zero where noise wins", dated=True)
    ]
    square_influence_se: Annotated[float, Column("nats squared", _SQUARE)]
    rms_influence_within: Annotated[float, Column(_NATS, "the same of the within-stratum part", dated=True)]
    square_influence_within_se: Annotated[float, Column("nats squared", _SQUARE)]


@dataclass(frozen=True)
class MomentSummaryRow(MomentSummary, OfStratum):
    """One stratum of one checkpoint."""


def summarise_moments(found: Mapping[str, LeaveOuts]) -> MomentSummary:
    """Summarise the moments of one stratum.

    Parameters
    ----------
    found : mapping of str to LeaveOuts
        By column; of `rms_*` the mean square.
    """
    columns: dict[str, float] = {}
    for name, statistic in found.items():
        value, error = float(statistic.value), float(standard_error(statistic))
        if name.startswith("rms_"):
            columns[name] = (abs(value) ** 0.5) * (1 if value >= 0 else -1)
            columns[name.replace("rms", "square") + "_se"] = error
        else:
            columns |= {name: value, f"{name}_se": error}
    return MomentSummary(**columns)
