"""Columns of the tables of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rare_neurons.models.allocation.gradients import PARTS
from rare_neurons.models.allocation.units import Unit
from rare_neurons.numerics.allocation.path import path_correlation
from rare_neurons.numerics.allocation.standard_error import document_standard_error

Columns = dict[str, Sequence[object]]


@dataclass(frozen=True)
class Account:
    """One line accounted for; losses are strata x parts, in that order.

    `strata` have losses, `classes` are all that tokens may have. `before`, `after` `[loss]` nats; `sums`
    `[loss, fold, unit]`: allocations summed over the fold's targets; `counts` `[stratum, fold]`; `factors` `[loss]`:
    standard error by documents and types over that by documents.
    """

    strata: tuple[str, ...]
    classes: tuple[str, ...]
    units: tuple[Unit, ...]
    before: np.ndarray
    after: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    factors: np.ndarray
    n_nodes: int
    n_intervals: int

    @property
    def allocation(self) -> np.ndarray:
        """Nats per target `[loss, unit]`."""
        return self.sums.sum(1) / np.repeat(self.counts.sum(1), len(PARTS))[:, None]

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `allocation` `[loss, unit]` over documents and types."""
        counts = np.repeat(self.counts, len(PARTS), axis=0)
        by_document = [document_standard_error(sums, n) for sums, n in zip(self.sums, counts, strict=True)]
        return np.stack(by_document) * self.factors[:, None]


def unit_columns(account: Account) -> Columns:
    """Columns of `AllocationRow`: all units of the first stratum, then of the next."""
    n_strata, units = len(account.strata), account.units
    names = dict(enumerate(account.classes))
    values = account.allocation.reshape(n_strata, len(PARTS), -1)
    errors = account.standard_error.reshape(n_strata, len(PARTS), -1)
    return {
        "layer": [u.layer for u in units] * n_strata,
        "kind": [u.kind for u in units] * n_strata,
        "unit": [u.unit for u in units] * n_strata,
        "token_stratum": [names.get(u.token_class) for u in units] * n_strata,
        "stratum": np.repeat(account.strata, len(units)).tolist(),
        "allocation": values[:, 0].reshape(-1),
        "allocation_se": errors[:, 0].reshape(-1),
        "allocation_within": values[:, 1].reshape(-1),
        "allocation_within_se": errors[:, 1].reshape(-1),
    }


def change_columns(
    account: Account, halves: Sequence[Account] | None, *, max_remainder: float, judged_change: float
) -> Columns:
    """Columns of `AllocationChangeRow`; `halves` are the two lines by way of a checkpoint between."""
    change = account.after - account.before
    allocated = account.allocation.sum(1)
    reasons = [
        _reason(float(c), float(c - a), max_remainder=max_remainder, judged_change=judged_change)
        for c, a in zip(change, allocated, strict=True)
    ]
    n_losses = len(change)
    return {
        "stratum": np.repeat(account.strata, len(PARTS)).tolist(),
        "part": list(PARTS) * len(account.strata),
        "n_targets": np.repeat(account.counts.sum(1).astype(int), len(PARTS)),
        "loss_before": account.before,
        "loss_after": account.after,
        "loss_change": change,
        "allocated": allocated,
        "remainder": change - allocated,
        "se_type_factor": account.factors,
        "path_correlation": [None] * n_losses if halves is None else _path_correlations(account, halves),
        "n_nodes": [account.n_nodes] * n_losses,
        "n_intervals": [account.n_intervals] * n_losses,
        "status": ["ok" if reason is None else "remainder" for reason in reasons],
        "reason": reasons,
    }


def _path_correlations(account: Account, halves: Sequence[Account]) -> list[float | None]:
    neurons = np.array([unit.kind == "neuron" for unit in account.units])
    two_lines = sum(half.allocation for half in halves)
    return [
        path_correlation(one[neurons], two[neurons]) for one, two in zip(account.allocation, two_lines, strict=True)
    ]


def _reason(change: float, remainder: float, *, max_remainder: float, judged_change: float) -> str | None:
    if abs(change) <= judged_change or abs(remainder) <= max_remainder * abs(change):
        return None
    return (
        f"the units leave {remainder:+.4f} of a change of {change:+.4f} nats, more than {max_remainder:.0%}; raise "
        "max_halvings"
    )
