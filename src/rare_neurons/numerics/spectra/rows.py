"""Rows of the tables of weight matrices."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Joined, Layer, Reason
from rare_neurons.numerics.spectra.spectrum import Spectrum


@dataclass(frozen=True)
class OfMatrix:
    """First columns of rows that are about a weight matrix."""

    layer: Layer
    matrix: Annotated[str, Column(None, "W_Q, W_K, W_V, W_O, W_in, W_gate, W_out, W_E (embedding), W_U (unembedding)")]
    rows: Annotated[int, Column("rows", "rows of the matrix")]
    cols: Annotated[int, Column("columns", "columns of the matrix")]


@dataclass(frozen=True)
class SpectrumRow(Spectrum, OfMatrix):
    """One matrix of one checkpoint."""


@dataclass(frozen=True)
class SpectrumChanges(SpectrumRow):
    """One matrix in the timeline, beside step 0."""

    alpha_change: Annotated[float | None, Column(None, "`alpha` minus that of step 0")]
    stable_rank_change: Annotated[float | None, Column(None, "`stable_rank` minus that of step 0")]
    log_spectral_norm_change: Annotated[
        float | None, Column("log10 of squared weight", "`log_spectral_norm` minus that of step 0")
    ]


@dataclass(frozen=True)
class EigenvaluesRow(OfMatrix):
    """Eigenvalues of one matrix of one checkpoint."""

    eigenvalues: Annotated[
        list[float] | None,
        Column(
            "squared weight",
            "of WᵀW, min(rows, cols) of them, ascending, computed in float64 and rounded to float32 (6e-8 of each); "
            "null where an entry is not finite",
            storage="float32",
        ),
    ]


@dataclass(frozen=True)
class AlphaInNull(OfMatrix):
    """Alpha and the largest eigenvalue of one matrix of one checkpoint among Gaussian matrices of its shape."""

    alpha: Annotated[float | None, Column(None, "power-law exponent, as in `spectra`")]
    alpha_null_p: Annotated[
        float | None,
        Column(None, "(1 + k) / (1 + n): k of n Gaussian matrices of this shape have an alpha of at most this"),
    ]
    alpha_null_low: Annotated[float | None, Column(None, "5 % of the null's alpha")]
    alpha_null_median: Annotated[float | None, Column(None, "median of the null's alpha")]
    alpha_null_high: Annotated[float | None, Column(None, "95 % of the null's alpha")]
    n_tail: Annotated[int | None, Column("eigenvalues", "eigenvalues in the fitted tail")]
    xmin_jump: Annotated[
        bool | None,
        Column(
            None,
            "whether a third of the eigenvalues or more lie between the tail's start and that of the usable checkpoint "
            "before: alpha then describes another part of the spectrum; null without one before",
        ),
    ]
    lambda_max_over_median: Annotated[float | None, Column(None, "largest eigenvalue over the median")]
    lambda_null_p: Annotated[
        float | None, Column(None, "(1 + k) / (1 + n): k of the same n matrices have at least this ratio")
    ]
    lambda_null_low: Annotated[float | None, Column(None, "5 % of the null's ratio")]
    lambda_null_median: Annotated[float | None, Column(None, "median of the null's ratio")]
    lambda_null_high: Annotated[float | None, Column(None, "95 % of the null's ratio")]
    n_draws: Annotated[int | None, Column("draws", "Gaussian matrices of the null")]
    status: Annotated[
        str,
        Column(
            None,
            "`ok`; the spectrum's own status; `no_null` (no null of this shape); `cut_in_bulk` (entries so small that "
            "the eigenvalues left out reach into the null's tails)",
        ),
    ]
    reason: Reason


@dataclass(frozen=True)
class AlphaRow(Joined, AlphaInNull):
    """One matrix in the timeline of alpha."""


@dataclass(frozen=True)
class AlphaEventRow(OfMatrix):
    """When alpha, or the largest eigenvalue, of one matrix leaves what Gaussian weights give."""

    quantity: Annotated[str, Column(None, "`alpha` or `lambda_max_over_median`")]
    level: Annotated[float, Column(None, "of p at each checkpoint: 0.05 / (number of matrices)")]
    n_checkpoints: Annotated[int, Column("checkpoints", "with a value, quarantined ones left out, step 0 among them")]
    p_at_start: Annotated[float | None, Column(None, "p at step 0")]
    after_step: Annotated[int | None, Column("optimizer updates", "last usable checkpoint before it leaves")]
    by_step: Annotated[
        int | None, Column("optimizer updates", "first usable checkpoint of two in a row outside the null")
    ]
    stays: Annotated[bool | None, Column(None, "whether every later usable checkpoint is outside too")]
    n_xmin_jumps: Annotated[int, Column("checkpoints", "with `xmin_jump` among them")]
    status: Annotated[
        str,
        Column(
            None,
            "`left`, `inside` (never twice in a row outside), `outside_at_start`, `no_start` (step 0 missing, "
            "quarantined or without a value), `too_few_checkpoints` (fewer than two after step 0)",
        ),
    ]
    reason: Reason
