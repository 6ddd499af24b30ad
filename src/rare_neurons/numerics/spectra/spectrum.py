"""All spectral quantities of one weight matrix: one frozen row of ``results/spectra``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, Reason, Status
from rare_neurons.numerics.spectra.bootstrap import bootstrap_alpha, goodness_of_fit
from rare_neurons.numerics.spectra.eigenvalues import eigenvalues, matrix_of
from rare_neurons.numerics.spectra.likelihood_ratio import compare_tails
from rare_neurons.numerics.spectra.options import DEFAULT_OPTIONS, SpectrumOptions
from rare_neurons.numerics.spectra.power_law import MIN_VALUE, PowerLawFit, fit_power_law
from rare_neurons.numerics.spectra.random_matrix import marchenko_pastur_edge, shuffled_eigenvalues
from rare_neurons.numerics.spectra.tail_index import farms_alpha, hill_alpha
from rare_neurons.numerics.spectra.weightwatcher_engine import fit_with_weightwatcher

_SHUFFLE, _FARMS, _BAND, _GOF = range(4)  # one random stream per purpose, so that one option never moves another


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Spectral quantities of one matrix W; ``None`` where undefined or not asked for.

    Attributes
    ----------
    n_eigenvalues : int
        ``min(rows, cols)``, zeros included.
    alpha, xmin, ks_distance, n_tail
        Tail fit of the eigenvalues of WᵀW, see ``PowerLawFit``.
    alpha_iid_low, alpha_iid_high : float or None
        5 % and 95 % of the exponent over bootstrap refits. A sensitivity band, not a confidence interval: eigenvalues
        repel each other and are no independent sample.
    gof_p : float or None
        Share of synthetic samples of the fit that lie farther from their own fit (CSN section 4).
    lr_*, lr_*_p : float or None
        Normalised log-likelihood ratio of the power law over the alternative on the tail (positive: power law), and
        its two-sided p (nested test for the truncated power law).
    hill_5, hill_10, hill_20 : float or None
        Hill exponent of the upper 5, 10 and 20 % of the eigenvalues.
    farms_alpha : float or None
        Exponent at the fixed aspect ratio 1.
    stable_rank : float or None
        Sum of the eigenvalues over the largest.
    log_spectral_norm : float or None
        log10 of the largest eigenvalue (weightwatcher's definition: the squared spectral norm).
    frobenius_norm : float
    lambda_max_over_median : float or None
    det_x : int or None
        Number of largest eigenvalues, scaled to mean 1, at which their product first falls below 1 (weightwatcher's
        ``detX_num``).
    mp_edge, n_spikes, edge_status
        Upper edge of the Marchenko-Pastur bulk and the number of eigenvalues beyond it, see ``BulkEdge``.
    alpha_shuffled, alpha_shuffled_low, alpha_shuffled_high : float or None
        Median, smallest and largest exponent over the shuffled matrices that could be fitted.
    status, reason : str
        ``ok``, or why there is no tail fit (``PowerLawFit.status``).
    """

    n_eigenvalues: Annotated[int, Column("eigenvalues", "min(rows, cols), zeros included")]
    alpha: Annotated[
        float | None, Column(None, "exponent of the density p(λ) ~ λ^-alpha of the eigenvalues above `xmin`")
    ]
    alpha_iid_low: Annotated[
        float | None, Column(None, "5 % of `alpha` over bootstrap refits: a sensitivity band, no confidence interval")
    ]
    alpha_iid_high: Annotated[float | None, Column(None, "95 % of the same")]
    xmin: Annotated[float | None, Column("squared weight", "start of the fitted tail")]
    ks_distance: Annotated[float | None, Column(None, "Kolmogorov-Smirnov distance of tail and fit, 0 to 1")]
    n_tail: Annotated[int | None, Column("eigenvalues", "eigenvalues at or above `xmin`")]
    gof_p: Annotated[float | None, Column(None, "share of synthetic samples that lie farther from their own fit")]
    lr_exponential: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over exponential; > 0: power law"),
    ]
    lr_exponential_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")]
    lr_lognormal: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over lognormal; > 0: power law"),
    ]
    lr_lognormal_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")]
    lr_stretched_exponential: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over stretched exponential; > 0 favours the power law"),
    ]
    lr_stretched_exponential_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")]
    lr_truncated_power_law: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over truncated power law; > 0: power law"),
    ]
    lr_truncated_power_law_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")]
    hill_5: Annotated[float | None, Column(None, "Hill exponent (of the density) of the upper 5 % of the eigenvalues")]
    hill_10: Annotated[float | None, Column(None, "of the upper 10 %")]
    hill_20: Annotated[float | None, Column(None, "of the upper 20 %")]
    farms_alpha: Annotated[float | None, Column(None, "exponent averaged over submatrices of aspect ratio 1")]
    stable_rank: Annotated[float | None, Column(None, "sum of the eigenvalues over the largest")]
    log_spectral_norm: Annotated[float | None, Column("log10 of squared weight", "log10 of the largest eigenvalue")]
    frobenius_norm: Annotated[float | None, Column("weight", "square root of the sum of the eigenvalues")]
    lambda_max_over_median: Annotated[float | None, Column(None, "largest eigenvalue over the median")]
    det_x: Annotated[
        int | None,
        Column("eigenvalues", "largest eigenvalues, scaled to mean 1, at which their product first falls below 1"),
    ]
    mp_edge: Annotated[float | None, Column("squared weight", "upper edge of the Marchenko-Pastur bulk")]
    n_spikes: Annotated[int | None, Column("eigenvalues", "eigenvalues beyond that edge")]
    edge_status: Annotated[
        str | None,
        Column(
            None,
            "`ok`, or why edge and spikes are null: `no_bulk` (median eigenvalue zero), `mostly_spikes` (more than "
            "half would lie beyond the edge, whose starting median is then no bulk)",
        ),
    ]
    alpha_shuffled: Annotated[float | None, Column(None, "median `alpha` of shuffled copies of the matrix")]
    alpha_shuffled_low: Annotated[float | None, Column(None, "smallest of them")]
    alpha_shuffled_high: Annotated[float | None, Column(None, "largest of them")]
    status: Status
    reason: Reason


SPECTRUM_COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Spectrum))


def measure_spectrum(
    matrix: ArrayLike, options: SpectrumOptions = DEFAULT_OPTIONS, *, values: NDArray[np.float64] | None = None
) -> Spectrum:
    """Measure everything about the eigenvalues of WᵀW that one row of ``results/spectra`` holds.

    Parameters
    ----------
    matrix : array_like, shape (rows, cols)
        One weight matrix, finite; its transpose gives the same numbers up to the choice of shuffles and windows.
    options : SpectrumOptions
    values : ndarray, shape (min(rows, cols),), optional
        ``eigenvalues(matrix)``, where the caller has them: they are the proof that the matrix is finite.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If ``matrix`` is not a finite matrix.
    """
    weights = matrix_of(matrix)
    values = eigenvalues(weights) if values is None else values
    fit = _fit(values, options)
    edge = marchenko_pastur_edge(values, weights.shape)
    windows = options.farms_windows
    return Spectrum(
        **_shape_of(values),
        **_fit_columns(fit),
        **_tail_columns(values, fit, options),
        **_shuffled(weights, options),
        farms_alpha=farms_alpha(weights, _rng(options, _FARMS), windows=windows) if windows else None,
        mp_edge=edge.edge,
        n_spikes=edge.n_spikes,
        edge_status=edge.status,
    )


def det_x_count(values: ArrayLike) -> int | None:
    """Count the largest eigenvalues, scaled to mean 1, at which their product first falls below 1.

    weightwatcher's ``detX_num``, by a sum of logarithms, which cannot overflow. All of them where it never falls below
    1, ``None`` where all are equal or zero.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    if x.size < 2 or x[0] <= x[-1]:
        return None
    with np.errstate(divide="ignore"):
        below = np.flatnonzero(np.cumsum(np.log(x / x.mean())) < 0)
    return int(below[0]) + 1 if below.size else int(x.size)


def _rng(options: SpectrumOptions, stream: int) -> np.random.Generator:
    return np.random.default_rng([options.seed, stream])


def _fit(values: NDArray[np.float64], options: SpectrumOptions) -> PowerLawFit:
    if options.engine == "weightwatcher":
        return fit_with_weightwatcher(values)
    return fit_power_law(values, min_tail=options.min_tail)


def _fit_columns(fit: PowerLawFit) -> dict[str, float | int | str | None]:
    names = ("alpha", "xmin", "ks_distance", "n_tail", "status", "reason")
    return {name: getattr(fit, name) for name in names}


def _tail_columns(values: NDArray[np.float64], fit: PowerLawFit, options: SpectrumOptions) -> dict[str, float | None]:
    """Band, goodness of fit and likelihood ratios of the fitted tail; ``values`` ascending."""
    band = gof = None
    ratios: dict[str, float | None] = dict.fromkeys(name for name in SPECTRUM_COLUMNS if name.startswith("lr_"))
    if fit.status == "ok":
        positive, refits = values[values > MIN_VALUE], options.refits
        if refits:
            band = bootstrap_alpha(positive, _rng(options, _BAND), refits=refits, min_tail=options.min_tail)
        gof = goodness_of_fit(positive, fit, _rng(options, _GOF), refits=options.gof_refits, min_tail=options.min_tail)
        if options.likelihood_ratios:
            ratios |= _ratios(positive[-fit.n_tail :], fit)
    low, high = band or (None, None)
    return ratios | {"alpha_iid_low": low, "alpha_iid_high": high, "gof_p": gof}


def _ratios(tail: NDArray[np.float64], fit: PowerLawFit) -> dict[str, float | None]:
    comparisons = compare_tails(tail, xmin=fit.xmin)
    columns = {f"lr_{name}": comparison.ratio for name, comparison in comparisons.items()}
    return columns | {f"lr_{name}_p": comparison.p_value for name, comparison in comparisons.items()}


def _shape_of(values: NDArray[np.float64]) -> dict[str, float | int | None]:
    """Measure what needs no fit: norms, ranks, Hill exponents; ``values`` ascending."""
    largest, total, median = float(values[-1]), float(values.sum()), float(np.median(values))
    hills = {f"hill_{percent}": int(values.size * percent / 100) for percent in (5, 10, 20)}
    return {
        "n_eigenvalues": int(values.size),
        "stable_rank": total / largest if largest > 0 else None,
        "log_spectral_norm": float(np.log10(largest)) if largest > 0 else None,
        "frobenius_norm": float(np.sqrt(total)),
        "lambda_max_over_median": largest / median if median > 0 else None,
        "det_x": det_x_count(values),
        # Two values are the least whose exponent has any scatter to speak of.
        **{name: hill_alpha(values, k) if k >= 2 else None for name, k in hills.items()},
    }


def _shuffled(weights: NDArray, options: SpectrumOptions) -> dict[str, float | None]:
    drawn = shuffled_eigenvalues(weights, _rng(options, _SHUFFLE), shuffles=options.shuffles)
    alphas = [fit.alpha for fit in (_fit(values, options) for values in drawn) if fit.alpha is not None]
    summary = (float(np.median(alphas)), min(alphas), max(alphas)) if alphas else (None, None, None)
    return dict(zip(("alpha_shuffled", "alpha_shuffled_low", "alpha_shuffled_high"), summary, strict=True))
