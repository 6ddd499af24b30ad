"""The row every convention of reading regimes fills in."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Reason, Sign, Status


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
        Interval over documents and token types (``log_spacing``, ``cross_fitted``): evaluation noise, with the neurons
        given.
    r_squared : float
        Of the drawn fit in ln value (``seed_fixed_cuts``: within its window); no evidence, noise has 0.98 too.
    statistic, statistic_z, null_p, null_family, n_spacings
        ``log_spacing``: T, T standardised by its least favourable null, the largest p over the null families, that
        family, and the ranks above the noise floor.
    alpha, xmin, ks_distance, n_tail
        ``tail``: exponent of the density of |influence| above xmin, nats; Clauset, Shalizi & Newman (2009).
    lr_exponential, lr_lognormal, lr_stretched_exponential, lr_truncated_power_law : float
        ``tail``: normalised log-likelihood ratio of the power law over the alternative; positive favours it.
    lr_exponential_p, lr_lognormal_p, lr_stretched_exponential_p, lr_truncated_power_law_p : float
        Two-sided p of its sign.
    split_half_pearson, split_half_spearman : float
        ``cross_fitted``: correlation of opposite quadrants' influence over all neurons of the stratum.
    status : str
        ``ok``, ``too_few``, ``not_resolved`` (the curve is not above zero), ``tied``, ``not_rising`` (no plateau,
        power law and decay in this order: p is 1), ``no_null_table`` (fit without p) or ``no_tail``.
    reason : str
        One sentence, unless ``ok``.
    """

    sign: Sign
    convention: Annotated[
        str,
        Column(
            None,
            "`log_spacing` (the test), `cross_fitted`, `tail`, `one_segment`, `two_segment`, `three_segment` (drawn, "
            "no evidence), `seed_fixed_cuts`, `seed_huber` (the seed studies')",
        ),
    ]
    n_neurons: Annotated[int, Column("neurons", "neurons of this sign with an influence that is not zero")]
    n_regimes: Annotated[int | None, Column("pieces", "pieces that the convention draws; no finding")] = None
    plateau_end: Annotated[float | None, Column("rank", "last rank of the plateau")] = None
    plateau_end_low: Annotated[float | None, Column("rank", "lower end of its interval over panels")] = None
    plateau_end_high: Annotated[float | None, Column("rank", "upper end of its interval over panels")] = None
    decay_start: Annotated[float | None, Column("rank", "first rank of the decay")] = None
    decay_start_low: Annotated[float | None, Column("rank", "lower end of its interval over panels")] = None
    decay_start_high: Annotated[float | None, Column("rank", "upper end of its interval over panels")] = None
    rank_exponent: Annotated[
        float | None, Column(None, "minus the slope of ln value over ln rank in the power-law piece")
    ] = None
    rank_exponent_low: Annotated[float | None, Column(None, "lower end of its interval over panels")] = None
    rank_exponent_high: Annotated[float | None, Column(None, "upper end of its interval over panels")] = None
    r_squared: Annotated[float | None, Column(None, "of the drawn fit; noise has 0.98 too")] = None
    statistic: Annotated[float | None, Column("log-likelihood", "`log_spacing`: test statistic T")] = None
    statistic_z: Annotated[
        float | None, Column("sd", "T as a normal score of its least favourable null; compares runs, T does not")
    ] = None
    null_p: Annotated[
        float | None, Column(None, "`log_spacing`: largest p over the null families, the only evidence for regimes")
    ] = None
    null_family: Annotated[str | None, Column(None, "the family that has it")] = None
    n_spacings: Annotated[int | None, Column("ranks", "log-spacings above the noise floor")] = None
    alpha: Annotated[float | None, Column(None, "`tail`: exponent of the density of |influence| above `xmin`")] = None
    xmin: Annotated[float | None, Column("nats per token", "`tail`: start of the fitted tail")] = None
    ks_distance: Annotated[float | None, Column(None, "Kolmogorov-Smirnov distance of tail and fit, 0 to 1")] = None
    n_tail: Annotated[int | None, Column("neurons", "`tail`: values at or above `xmin`")] = None
    lr_exponential: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over exponential; > 0: power law"),
    ] = None
    lr_exponential_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")] = None
    lr_lognormal: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over lognormal; > 0: power law"),
    ] = None
    lr_lognormal_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")] = None
    lr_stretched_exponential: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over stretched exponential; > 0 favours the power law"),
    ] = None
    lr_stretched_exponential_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")] = None
    lr_truncated_power_law: Annotated[
        float | None,
        Column(None, "normalised log-likelihood ratio over truncated power law; > 0: power law"),
    ] = None
    lr_truncated_power_law_p: Annotated[float | None, Column(None, "two-sided p of that ratio's sign")] = None
    split_half_pearson: Annotated[float | None, Column(None, "over neurons, between opposite quadrants")] = None
    split_half_spearman: Annotated[float | None, Column(None, "the same of ranks")] = None
    status: Status = "ok"
    reason: Reason = None
