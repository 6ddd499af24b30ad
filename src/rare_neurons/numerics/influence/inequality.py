"""Scale-free indices of how unequal the influence of a layer's neurons is."""

from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, OfStratum, Reason, Status
from rare_neurons.numerics.influence.shard import InfluenceShard

_TOP = 3  # neurons left out of the trimmed kurtosis: in one run three neurons made 42 out of 6


@dataclass(frozen=True)
class Inequality:
    """Indices of one influence vector; None where undefined, with ``status`` and ``reason`` saying why.

    ``gini`` (of absolute values) is 0 for equal neurons and (n - 1)/n for one alone. ``participation_ratio`` is the
    effective number of neurons, 1 to n. ``excess_kurtosis`` is 0 for a normal law. ``status`` is ``ok``,
    ``noise_dominated`` (only the noise-corrected index is missing), ``constant`` or ``too_few``.
    """

    n_neurons: Annotated[int, Column("neurons", "neurons in the row")]
    gini: Annotated[
        float | None, Column(None, "Gini index of |influence|: 0 equal, towards 1 one neuron alone", dated=True)
    ]
    participation_ratio: Annotated[
        float | None, Column("neurons", "effective number of neurons, (Σx²)²/Σx⁴", dated=True)
    ]
    excess_kurtosis: Annotated[
        float | None, Column(None, "of the influence over neurons; 0 for a normal law", dated=True)
    ]
    excess_kurtosis_noise_corrected: Annotated[
        float | None, Column(None, "the same without the standard errors' share", dated=True)
    ]
    excess_kurtosis_without_top: Annotated[
        float | None, Column(None, "the same without the three strongest neurons", dated=True)
    ]
    status: Status
    reason: Reason


@dataclass(frozen=True)
class InequalityRow(Inequality, OfStratum):
    """Indices of one stratum's influence vector."""


def measure_inequality(shard: InfluenceShard) -> dict[str, list]:
    """Inequality indices of each stratum's influence vector."""
    rows = [
        InequalityRow(stratum, **asdict(inequality(shard.influence[i], shard.influence_se[i])))
        for i, stratum in enumerate(shard.strata)
    ]
    return {"inequality": rows}


def inequality(influence: ArrayLike, influence_se: ArrayLike) -> Inequality:
    """Gini coefficient, participation ratio and excess kurtosis of the influence of neurons.

    With x the influence, |x|_(i) its ascending absolute values, d = x - mean(x), m_k = mean(d^k) and s the standard
    errors::

        gini                 = sum_i (2 i - n - 1) |x|_(i) / (n sum |x|)
        participation_ratio  = (sum x^2)^2 / sum x^4
        excess_kurtosis      = m_4 / m_2^2 - 3
        noise-corrected      = (m_4 - 6 mean(d^2 s^2) + 3 mean(s^4)) / (m_2 - mean(s^2))^2 - 3

    The last removes independent normal errors of variance s^2 from the second and fourth central moment. It is None
    (``noise_dominated``) when the corrected variance is below two of its standard errors, or when the corrected
    moments belong to no distribution (m_4 < m_2^2). ``excess_kurtosis_without_top`` leaves out the three neurons of
    largest |influence|.

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
        reason = f"{n} neurons, but the indices need {_TOP + 2}"
        return Inequality(n, None, None, None, None, None, "too_few", reason)
    if not np.any(x):
        return Inequality(n, None, None, None, None, None, "constant", "every influence is zero")
    trimmed = x[np.argsort(np.abs(x), kind="stable")[:-_TOP]]
    kurtosis, status, reason = _excess_kurtosis(x), "ok", None
    if kurtosis is None:
        corrected, status, reason = None, "constant", "every neuron has the same influence"
    else:
        corrected, reason = _noise_corrected(x, se)
        status = "ok" if reason is None else "noise_dominated"
    return Inequality(
        n, _gini(np.abs(x)), _participation(x), kurtosis, corrected, _excess_kurtosis(trimmed), status, reason
    )


def _gini(magnitude: NDArray) -> float:
    n = len(magnitude)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ np.sort(magnitude) / (n * magnitude.sum()))


def _participation(x: NDArray) -> float:
    squares = (x / np.abs(x).max()) ** 2  # scaled, so that fourth powers of small influences do not underflow
    return float(squares.sum() ** 2 / np.sum(squares**2))


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
