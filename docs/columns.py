"""What every column of every results table means, with its unit: `results/README.md` is written from here."""

import pyarrow as pa

from rare_neurons import schemas
from rare_neurons.metrics import METRICS, load
from rare_neurons.stages import emergence, integrity, null_tables, timelines
from rare_neurons.tables import schema_of

TABLES: dict[str, tuple[str, str, pa.Schema]] = {
    "influence": ("influence/{panel}/{model}/step{step}.parquet", "neuron x stratum", schemas.INFLUENCE),
    "folds": ("folds/{panel}/{model}/step{step}.parquet", "stratum x fold; lists over neurons", schemas.FOLDS),
    "behaviour": ("behaviour/{panel}/{model}/step{step}.parquet", "stratum x fold", schemas.BEHAVIOUR),
    "activations": ("activations/{panel}/{model}/step{step}.parquet", "neuron", schemas.ACTIVATIONS),
    "gradients": ("gradients/{panel}/{model}/step{step}.parquet", "stratum", schemas.GRADIENTS),
    **{
        table: (
            f"{table}/{{panel}}/{{model}}/step{{step}}.parquet",
            {
                "differentiation": "stratum",
                "regimes": "stratum x sign x convention",
                "curves": "stratum x sign x bin of rank",
                "differences": "pair of strata x sign x quantity",
            }[table],
            schema_of(load(row), [("panel", pa.string()), ("model", pa.string()), ("step", pa.int64())]),
        )
        for metric in METRICS
        for table, row in metric.tables.items()
    },
    "spectra": ("spectra/{model}/step{step}.parquet", "weight matrix", schemas.SPECTRA),
    "fingerprint": ("fingerprint/{model}/step{step}.parquet", "tensor", schemas.FINGERPRINT),
    "integrity": ("integrity/{model}.parquet", "checkpoint", integrity.SCHEMA),
    "timelines/influence": ("timelines/influence/{model}.parquet", "step x stratum", timelines.INFLUENCE_SUMMARY),
    "timelines/emergence": ("timelines/emergence/{subject}.parquet", "declared quantity", emergence.SCHEMA),
    "null_tables": ("null_tables/{n_neurons}.parquet", "family x shape x number of spacings", null_tables.SCHEMA),
}

COLUMNS: dict[str, tuple[str, str]] = {
    # place
    "panel": ("", "name of the panel"),
    "model": ("", "name of the model in the configuration"),
    "step": ("optimizer updates", "training step of the checkpoint"),
    "neuron": ("", "index of the final-layer MLP neuron, row of W_out"),
    "stratum": ("", "class of token types by training frequency"),
    "other_stratum": ("", "the stratum that is subtracted"),
    "n_targets": ("targets", "evaluated positions"),
    "n_types": ("types", "distinct target tokens among them"),
    "fold": ("", "0 to 63; contexts are resampled by folds"),
    "half": ("", "A (folds 0 to 31) or B; no document is in both"),
    # influence
    "influence": ("nats per token", "mean change of the target's loss when the neuron is mean-ablated; > 0: boosts"),
    "influence_se": ("nats per token", "standard error of `influence`, two-way by context and by target type"),
    "influence_a": ("nats per token", "`influence` in half A"),
    "influence_b": ("nats per token", "`influence` in half B"),
    "abs_influence": ("nats per token", "mean of the absolute changes"),
    "direct_influence": ("nats per token", "`influence` with the final norm's scale frozen"),
    "abs_direct_influence": ("nats per token", "`abs_influence` with the final norm's scale frozen"),
    "influence_within": ("nats per token", "part of `influence` that moves probability within the target's stratum"),
    "influence_expected": ("nats per token", "`influence` if targets were drawn from the model itself"),
    "truncation_bound": ("nats per token", "certified bound of the truncation error of `influence`"),
    "rounding_bound": ("nats per token", "bound of its rounding error, in the model named in the metadata"),
    "exact_fraction": ("share", "(target, neuron) pairs evaluated exactly"),
    "influence_sum": ("nats", "list over neurons: sum of the targets' changes of loss in the fold"),
    "within_sum": ("nats", "list over neurons: the same of the within-stratum part"),
    "activation_mean": ("", "mean activation over eligible natural positions: the value a mean-ablated neuron takes"),
    "activation_variance": ("", "variance of the activation over the same positions"),
    "gradient": ("nats", "list over d_model: mean gradient of the loss with respect to the final residual stream"),
    # behaviour
    "loss": ("nats per token", "mean cross-entropy of the target"),
    "entropy": ("nats", "mean entropy of the model's distribution"),
    "kl_model_to_unigram": ("nats", "KL(model, unigram), mean over targets"),
    "kl_unigram_to_model": ("nats", "KL(unigram, model), mean over targets"),
    # spectra
    "layer": ("", "0-based; null for embeddings"),
    "matrix": ("", "W_Q, W_K, W_V, W_O, W_in, W_gate, W_out, W_E (embedding) or W_U (unembedding)"),
    "rows": ("", "rows of the matrix"),
    "cols": ("", "columns of the matrix"),
    "n_eigenvalues": ("", "min(rows, cols), zeros included"),
    "alpha": ("", "exponent of a density p(x) ~ x^-alpha above `xmin`: of the eigenvalues of WᵀW, or of |influence|"),
    "alpha_iid_low": ("", "5 % of `alpha` over bootstrap refits: a sensitivity band, no confidence interval"),
    "alpha_iid_high": ("", "95 % of the same"),
    "xmin": ("", "start of the fitted tail"),
    "ks_distance": ("", "Kolmogorov-Smirnov distance of tail and fit, 0 to 1"),
    "n_tail": ("", "values at or above `xmin`"),
    "gof_p": ("", "share of synthetic samples that lie farther from their own fit"),
    **{
        f"lr_{name}": ("", f"normalised log-likelihood ratio, power law over {words}; > 0 favours the power law")
        for name, words in (
            ("exponential", "exponential"),
            ("lognormal", "lognormal"),
            ("stretched_exponential", "stretched exponential"),
            ("truncated_power_law", "truncated power law"),
        )
    },
    **{
        f"lr_{name}_p": ("", "two-sided p of that ratio's sign")
        for name in ("exponential", "lognormal", "stretched_exponential", "truncated_power_law")
    },
    "hill_5": ("", "Hill exponent (of the density) of the upper 5 % of the eigenvalues"),
    "hill_10": ("", "of the upper 10 %"),
    "hill_20": ("", "of the upper 20 %"),
    "farms_alpha": ("", "exponent averaged over submatrices of aspect ratio 1"),
    "stable_rank": ("", "sum of the eigenvalues over the largest"),
    "log_spectral_norm": ("", "log10 of the largest eigenvalue"),
    "frobenius_norm": ("", "square root of the sum of the eigenvalues"),
    "lambda_max_over_median": ("", "largest eigenvalue over the median"),
    "det_x": ("", "largest eigenvalues, scaled to mean 1, at which their product first falls below 1"),
    "mp_edge": ("", "upper edge of the Marchenko-Pastur bulk"),
    "n_spikes": ("", "eigenvalues beyond that edge"),
    "alpha_shuffled": ("", "median `alpha` of shuffled copies of the matrix"),
    "alpha_shuffled_low": ("", "smallest of them"),
    "alpha_shuffled_high": ("", "largest of them"),
    "status": ("", "`ok`, or why values are null"),
    "reason": ("", "one sentence unless `ok`"),
    # fingerprint, integrity
    "tensor": ("", "name of the tensor"),
    "shape": ("", "its shape"),
    "norm": ("", "Euclidean norm"),
    "n_nonfinite": ("entries", "NaN or infinite entries"),
    "sha256": ("", "digest of shape and values"),
    "projection": ("", "list: seeded random projection, from which distances between any two steps follow"),
    "quarantined": ("", "whether averages leave the checkpoint out"),
    "distance_to_start": ("", "estimated Euclidean distance of all weights to the first checkpoint"),
    "distance_to_previous": ("", "the same to the previous checkpoint"),
    "detour": ("ratio", "path through the checkpoint over the distance of its neighbours"),
    "start_z": ("robust sd", "deviation of `distance_to_start` from its trend"),
    "canary_z": ("robust sd", "deviation of `canary_loss` from its trend"),
    "canary_loss": ("nats per token", "mean over strata of the loss at the first panel"),
    "commit": ("", "git commit of the weights, where they come from the Hub"),
    "weights_sha256": ("", "digest of all weight files"),
    # timelines
    "tokens_seen": ("tokens", "training tokens up to the step; null where a step's tokens are not configured"),
    "checkpoint_status": ("", "`status` of the integrity table"),
    "n_neurons": ("neurons", "neurons in the row"),
    "mean_influence": ("nats per token", "mean over neurons"),
    "mean_abs_influence": ("nats per token", "mean over neurons of `abs_influence`"),
    "rms_influence": ("nats per token", "root mean square over neurons"),
    "rms_influence_corrected": ("nats per token", "without the part that standard errors explain; null if all of it"),
    "rms_influence_within": ("nats per token", "root mean square of `influence_within`"),
    "n_boost": ("neurons", "influence above three standard errors"),
    "n_suppress": ("neurons", "influence below minus three standard errors"),
    "n_sign_uncertain": ("neurons", "|influence| below its numerical bound"),
    "top_neuron": ("", "neuron with the largest |influence|"),
    "top_influence": ("nats per token", "its influence"),
    "largest_bound": ("nats per token", "largest truncation plus rounding bound"),
    # emergence
    "subject": ("", "model, or group of seeds"),
    "quantity": ("", "name of the quantity"),
    "table": ("", "timeline that holds it"),
    "column": ("", "its column there"),
    "detected": ("", "whether the declared rule calls an onset, after control for all quantities asked"),
    "n_steps": ("checkpoints", "checkpoints in use"),
    "n_seeds": ("runs", "runs in use"),
    "rule": ("", "the declared rule in words"),
    "onset_after": ("optimizer updates", "last checkpoint before the onset"),
    "onset_by": ("optimizer updates", "first checkpoint from which the rule holds"),
    "onset_low": ("optimizer updates", "lower end of the onset's interval; null if not bounded"),
    "onset_high": ("optimizer updates", "upper end"),
    "interval_kind": ("", "`seeds` (three or more), or `evaluation_only`, which says nothing about another run"),
    "peak_step": ("optimizer updates", "most extreme checkpoint"),
    "offset_after": ("optimizer updates", "last checkpoint at which the change still holds"),
    "offset_by": ("optimizer updates", "first checkpoint at which it no longer does"),
    "change": ("of the quantity", "largest held change from the baseline"),
    "minimal_effect": ("of the quantity", "smallest even rise that would have been detected in 80 % of cases"),
    "minimal_intervals": ("intervals", "fewest checkpoints a change must extend over to be told from a random walk"),
    "p_white_noise": ("", "p under white noise"),
    "p_ar1": ("", "p under AR(1)"),
    "p_random_walk": ("", "p under a random walk with the series' own increments"),
    "p_evaluation": ("", "p under evaluation noise (resampled contexts)"),
    "p_value": ("", "the largest of these: the decision"),
    "p_adjusted": ("", "`p_value` adjusted for all quantities of the subject"),
    # metrics
    "gini": ("", "Gini index of |influence|: 0 equal, towards 1 one neuron alone"),
    "participation_ratio": ("neurons", "effective number of neurons, (Σx²)²/Σx⁴"),
    "excess_kurtosis": ("", "of the influence over neurons; 0 for a normal law"),
    "excess_kurtosis_noise_corrected": ("", "the same without the standard errors' share"),
    "excess_kurtosis_without_top": ("", "the same without the three strongest neurons"),
    "sign": ("", "`all`, `boost` or `suppress`"),
    "convention": (
        "",
        "`log_spacing` (the test), `cross_fitted`, `tail`, `one_segment`, `two_segment`, `three_segment` (drawn, no "
        "evidence), `seed_fixed_cuts`, `seed_huber` (the seed studies')",
    ),
    "n_regimes": ("", "pieces that the convention draws; no finding"),
    "plateau_end": ("rank", "last rank of the plateau"),
    "decay_start": ("rank", "first rank of the decay"),
    "rank_exponent": ("", "minus the slope of ln value over ln rank in the power-law piece"),
    **{
        f"{name}_{end}": ("", f"{words} end of its interval over resampled contexts")
        for name in ("plateau_end", "decay_start", "rank_exponent")
        for end, words in (("low", "lower"), ("high", "upper"))
    },
    "r_squared": ("", "of the drawn fit; noise has 0.98 too"),
    "statistic": ("", "test statistic T; in null tables a list of its sorted draws"),
    "null_p": ("", "largest p over the null families: the only evidence for regimes"),
    "null_family": ("", "the family that has it"),
    "n_spacings": ("ranks", "log-spacings above the noise floor"),
    "split_half_pearson": ("", "correlation of the halves' influence over neurons"),
    "split_half_spearman": ("", "the same of ranks"),
    "rank_low": ("rank", "first rank of the bin"),
    "rank_high": ("rank", "last rank of the bin"),
    "rank_mid": ("rank", "geometric mean of both"),
    "value": ("nats per token", "cross-fitted influence; in `differences` the difference of the quantity"),
    "low": ("as value", "lower end of its interval"),
    "high": ("as value", "upper end"),
    # null tables
    "n": ("neurons", "size of the simulated layer"),
    "family": ("", "null family"),
    "mean_spacing": ("", "list: mean scaled log-spacing per cell"),
}
