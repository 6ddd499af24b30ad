"""How unequal the influence of a layer's neurons is, with the part that noise makes taken out or shown beside."""

from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, OfStratum, Reason, Status, joined_row
from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.effective_number import RESOLVED, EffectiveNumber, effective_number
from rare_neurons.numerics.grid.fourth_moment import mean_fourth_leave_outs
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.moments import mean_square_leave_outs
from rare_neurons.numerics.influence.shard import InfluenceShard

_TOP = 3  # neurons left out of the trimmed kurtosis: in one run three neurons made 42 out of 6
_BLOCK = 512  # neurons beside all others at once: 16 MB at 4,096
_NOISE_FREE = "without noise: mean squares and fourth powers from disjoint cells"


@dataclass(frozen=True)
class Inequality:
    """Indices of one influence vector; None where undefined, with ``status`` and ``reason`` saying why.

    ``gini`` (of absolute values) is 0 for equal neurons and (n - 1)/n for one alone; ``gini_noise`` is what the same
    standard errors give without any effect. ``excess_kurtosis`` is 0 for a normal law. ``status`` is ``ok``,
    ``noise_dominated`` (only the noise-corrected kurtosis is missing), ``constant`` or ``too_few``.
    """

    n_neurons: Annotated[int, Column("neurons", "neurons in the row")]
    gini: Annotated[
        float | None, Column(None, "Gini index of |influence|; follows signal to noise, read beside `gini_noise`")
    ]
    gini_noise: Annotated[
        float | None, Column(None, "the same expected of normal noise with the same standard errors and no effect")
    ]
    excess_kurtosis: Annotated[
        float | None, Column(None, "of the influence over neurons, noise included; 0 for a normal law")
    ]
    excess_kurtosis_noise_corrected: Annotated[
        float | None, Column(None, "the same without the standard errors' share")
    ]
    excess_kurtosis_without_top: Annotated[
        float | None, Column(None, "`excess_kurtosis` without the three strongest neurons")
    ]
    status: Status
    reason: Reason


@dataclass(frozen=True)
class EffectiveNumbers:
    """Over how many neurons the influence is spread, in total and within the stratum: the declared index."""

    effective_number: Annotated[
        float | None, Column("neurons", f"n (mean θ²)²/mean θ⁴ of `influence`, {_NOISE_FREE}; k equal neurons give k")
    ]
    effective_number_low: Annotated[float | None, Column("neurons", "lower end of its 90 % interval over panels")]
    effective_number_high: Annotated[float | None, Column("neurons", "upper end of its 90 % interval over panels")]
    effective_number_status: Annotated[
        str, Column(None, "`ok`; `unresolved`: mean square within two standard errors of zero; `not_positive`: no log")
    ]
    effective_number_reason: Annotated[str | None, Column(None, "one sentence unless `ok`")]
    effective_number_within: Annotated[
        float | None, Column("neurons", "the same of the part within the target's stratum")
    ]
    effective_number_within_low: Annotated[float | None, Column("neurons", "lower end of its interval")]
    effective_number_within_high: Annotated[float | None, Column("neurons", "upper end of its interval")]
    effective_number_within_status: Annotated[str, Column(None, "as `effective_number_status`")]
    effective_number_within_reason: Annotated[str | None, Column(None, "one sentence unless `ok`")]


@dataclass(frozen=True)
class InequalityRow(Inequality, EffectiveNumbers, OfStratum):
    """Indices of one stratum's influence vector."""


def measure_inequality(shard: InfluenceShard) -> dict[str, list]:
    """Inequality indices of each stratum's influence vector.

    Notes
    -----
    Cost: nearly all in the fourth moments, 2 s each at 4,096 neurons on one core, that is 4 s a stratum where the whole
    influence and its part within the stratum are both resolved; what is not resolved has no fourth moment taken.
    """
    rows = []
    for i, stratum in enumerate(shard.strata):
        whole, within = (effective_neurons(cells) for cells in (shard.cells(stratum), shard.within_cells(stratum)))
        spread = {**effective_columns("", whole), **effective_columns("_within", within)}
        indices = inequality(shard.influence[i], shard.influence_se[i])
        rows.append(joined_row(InequalityRow, OfStratum(stratum), EffectiveNumbers(**spread), indices))
    return {"inequality": rows}


def effective_neurons(cells: CellSums) -> EffectiveNumber:
    """Effective number of neurons of cell sums; the fourth moment is measured only where the second is resolved.

    Raises
    ------
    ValueError
        As `mean_square_leave_outs`.
    """
    square = mean_square_leave_outs(cells.by_neuron, cells.counts)
    resolved = square.value > RESOLVED * standard_error(square)
    fourth = mean_fourth_leave_outs(cells.by_neuron, cells.counts) if resolved else square  # not read unless resolved
    return effective_number(mean_square=square, mean_fourth=fourth, n_neurons=cells.n_neurons)


def inequality(influence: ArrayLike, influence_se: ArrayLike) -> Inequality:
    """Gini index beside that of noise alone, and excess kurtosis of the influence of neurons.

    With x the influence, |x|_(i) its ascending absolute values, d = x - mean(x), m_k = mean(d^k) and s the standard
    errors::

        gini             = sum_i (2 i - n - 1) |x|_(i) / (n sum |x|)
        excess_kurtosis  = m_4 / m_2^2 - 3
        noise-corrected  = (m_4 - 6 mean(d^2 s^2) + 3 mean(s^4)) / (m_2 - mean(s^2))^2 - 3

    The last removes independent normal errors of variance s^2 from the second and fourth central moment. It is None
    (``noise_dominated``) when the corrected variance is below two of its standard errors, or when the corrected
    moments belong to no distribution (m_4 < m_2^2). ``gini_noise`` is `expected_noise_gini`.
    ``excess_kurtosis_without_top`` leaves out the three neurons of largest |influence|.

    Parameters
    ----------
    influence, influence_se : array [neuron]
        Nats; standard errors are not negative.

    Raises
    ------
    ValueError
        On shapes that differ, values that are not finite or a negative standard error.

    Examples
    --------
    >>> inequality([1.0, 1.0, -1.0, -1.0, 1.0], [0.0] * 5).gini
    0.0
    """
    x, se = np.asarray(influence, dtype=float), np.asarray(influence_se, dtype=float)
    if x.ndim != 1 or x.shape != se.shape:
        raise ValueError(f"influence {x.shape} and influence_se {se.shape} must both be [neuron]")
    if not (np.isfinite(x).all() and np.isfinite(se).all() and (se >= 0).all()):
        raise ValueError("influence and influence_se must be finite, standard errors not negative")
    n = len(x)
    if n < _TOP + 2:
        return Inequality(n, *[None] * 5, "too_few", f"{n} neurons, but the indices need {_TOP + 2}")
    noise = expected_noise_gini(se)
    if not np.any(x):
        return Inequality(n, None, noise, *[None] * 3, "constant", "every influence is zero")
    trimmed = x[np.argsort(np.abs(x), kind="stable")[:-_TOP]]
    kurtosis, status, reason = _excess_kurtosis(x), "ok", None
    if kurtosis is None:
        corrected, status, reason = None, "constant", "every neuron has the same influence"
    else:
        corrected, reason = _noise_corrected(x, se)
        status = "ok" if reason is None else "noise_dominated"
    return Inequality(n, _gini(np.abs(x)), noise, kurtosis, corrected, _excess_kurtosis(trimmed), status, reason)


def expected_noise_gini(influence_se: ArrayLike) -> float | None:
    """Gini index of absolute values of independent normal noise without any effect, as a ratio of expectations.

    ``sum_(i != j) (2 sqrt(s_i^2 + s_j^2) - s_i - s_j) / (2 n sum s)``: with X, Y normal of sd s_i, s_j,
    ``E max(|X|, |Y|) = E(|X + Y| + |X - Y|)/2 = sqrt(2/pi) sqrt(s_i^2 + s_j^2)``.

    Parameters
    ----------
    influence_se : array [neuron]
        Not negative.

    Returns
    -------
    float or None
        None where every standard error is zero.

    Notes
    -----
    Cost O(neuron²), 0.3 s at 4,096. A dependence between neurons' errors leaves both expectations of the ratio nearly
    as they are: it moves pairs of neurons, not their standard errors.

    Examples
    --------
    >>> round(expected_noise_gini([2.0] * 1000), 3)  # (√2 − 1)(n − 1)/n
    0.414
    """
    s = np.asarray(influence_se, dtype=float)
    if not np.any(s):
        return None
    s = s / s.max()
    distances = sum(float(np.hypot(part[:, None], s).sum()) for part in np.array_split(s, -(-len(s) // _BLOCK)))
    n, total = len(s), s.sum()
    pairs = 2 * (distances - np.sqrt(2) * total) - 2 * (n - 1) * total  # a neuron is no pair with itself
    return float(pairs / (2 * n * total))


def effective_columns(suffix: str, number: EffectiveNumber) -> dict[str, object]:
    """Columns of `EffectiveNumbers` that end in a suffix."""
    found = asdict(number)
    names = {"value": "", "low": "_low", "high": "_high", "status": "_status"}
    columns = {f"effective_number{suffix}{end}": found[name] for name, end in names.items()}
    return columns | {f"effective_number{suffix}_reason": found["reason"] or None}


def _gini(magnitude: NDArray) -> float:
    n = len(magnitude)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ np.sort(magnitude) / (n * magnitude.sum()))


def _excess_kurtosis(x: NDArray) -> float | None:
    if np.ptp(x) == 0:
        return None
    d = (x - x.mean()) / x.std()
    return float(np.mean(d**4) - 3)


def _noise_corrected(x: NDArray, se: NDArray) -> tuple[float | None, str | None]:
    scale = x.std()
    d2, s2 = ((x - x.mean()) / scale) ** 2, (se / scale) ** 2
    variance = 1 - s2.mean()
    variance_se = np.sqrt(np.var(d2) / len(x))
    if variance <= 2 * variance_se:
        return (
            None,
            f"{max(variance, 0):.3f} of the variance is beyond noise, two standard errors are {2 * variance_se:.3f}",
        )
    fourth = np.mean(d2**2) - 6 * np.mean(d2 * s2) + 3 * np.mean(s2**2)
    if fourth < variance**2:
        return None, "the noise-corrected moments belong to no distribution (m_4 < m_2^2)"
    return float(fourth / variance**2 - 3), None
