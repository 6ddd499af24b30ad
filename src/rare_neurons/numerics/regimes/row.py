"""The row every convention of reading regimes fills in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RegimeRow:
    """One reading of the ranked influence of one stratum, for one sign under one convention.

    Ranks are 1-based and inclusive; the plateau is ranks 1 to ``plateau_end``, decay starts at ``decay_start``.
    ``rank_exponent`` is minus the slope of ln value over ln rank: of the only piece (``one_segment``), of the second
    (``two_segment``), of the middle one (others). Undefined entries are None.

    Attributes
    ----------
    sign : str
        ``all``, ``boost`` or ``suppress``.
    convention : str
        ``log_spacing`` (the detection test and its three levels), ``cross_fitted`` (three segments through the
        cross-fitted curve), ``tail`` (power law above xmin), ``one_segment``, ``two_segment``, ``three_segment``
        (descriptive fits), ``seed_fixed_cuts``, ``seed_huber``.
    n_neurons : int
        Neurons of this sign with an influence that is not zero.
    n_regimes : int
        Pieces that the convention draws, *not* a finding: only ``null_p`` speaks for regimes.
    plateau_end_low, plateau_end_high, decay_start_low, decay_start_high, rank_exponent_low, rank_exponent_high : float
        Interval from resampling folds (``log_spacing``, ``cross_fitted``): evaluation noise, with the neurons given.
    r_squared : float
        Of the drawn fit in ln value (``seed_fixed_cuts``: within its window); no evidence, noise has 0.98 too.
    statistic, null_p, null_family, n_spacings
        ``log_spacing``: T, the largest p over the null families, that family, and the ranks above the noise floor.
    alpha, xmin, ks_distance, n_tail
        ``tail``: exponent of the density of |influence| above xmin, nats; Clauset, Shalizi & Newman (2009).
    lr_exponential, lr_lognormal, lr_stretched_exponential, lr_truncated_power_law : float
        ``tail``: normalised log-likelihood ratio of the power law over the alternative; positive favours it.
    lr_exponential_p, lr_lognormal_p, lr_stretched_exponential_p, lr_truncated_power_law_p : float
        Two-sided p of its sign.
    split_half_pearson, split_half_spearman : float
        ``cross_fitted``: correlation of the halves' influence over all neurons of the stratum.
    status : str
        ``ok``, ``too_few``, ``not_resolved`` (the curve is not above zero), ``tied``, ``not_rising`` (no plateau,
        power law and decay in this order: p is 1), ``no_null_table`` (fit without p) or ``no_tail``.
    reason : str
        One sentence, unless ``ok``.
    """

    sign: str
    convention: str
    n_neurons: int
    n_regimes: int | None = None
    plateau_end: float | None = None
    plateau_end_low: float | None = None
    plateau_end_high: float | None = None
    decay_start: float | None = None
    decay_start_low: float | None = None
    decay_start_high: float | None = None
    rank_exponent: float | None = None
    rank_exponent_low: float | None = None
    rank_exponent_high: float | None = None
    r_squared: float | None = None
    statistic: float | None = None
    null_p: float | None = None
    null_family: str | None = None
    n_spacings: int | None = None
    alpha: float | None = None
    xmin: float | None = None
    ks_distance: float | None = None
    n_tail: int | None = None
    lr_exponential: float | None = None
    lr_exponential_p: float | None = None
    lr_lognormal: float | None = None
    lr_lognormal_p: float | None = None
    lr_stretched_exponential: float | None = None
    lr_stretched_exponential_p: float | None = None
    lr_truncated_power_law: float | None = None
    lr_truncated_power_law_p: float | None = None
    split_half_pearson: float | None = None
    split_half_spearman: float | None = None
    status: str = "ok"
    reason: str | None = None
