"""The tables of regimes, rank curves and differences of one checkpoint, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from rare_neurons.columns import Column, OfStratum, Sign, Stratum
from rare_neurons.numerics.influence.shard import InfluenceShard
from rare_neurons.numerics.regimes.conventions import measure_regimes
from rare_neurons.numerics.regimes.null_tables import NullTable
from rare_neurons.numerics.regimes.rank_curve import SIGNS, n_of_sign, rank_curve
from rare_neurons.numerics.regimes.resampled import (
    RegimeDifference,
    SpacingRegimes,
    measure_spacing_regimes,
    of_sign,
    regime_differences,
)
from rare_neurons.numerics.regimes.row import RegimeRow


@dataclass(frozen=True)
class RegimeTableRow(RegimeRow, OfStratum):
    """One reading of one stratum."""


@dataclass(frozen=True)
class OfPair:
    """First columns of rows that compare two strata."""

    stratum: Stratum
    other_stratum: Annotated[str, Column(None, "the stratum that is subtracted")]
    sign: Sign


@dataclass(frozen=True)
class DifferenceRow(RegimeDifference, OfPair):
    """A quantity of one stratum minus that of another."""


@dataclass(frozen=True)
class CurvePoint:
    """One bin of a cross-fitted rank curve (see `rank_curve`)."""

    stratum: Stratum
    sign: Sign
    rank_low: Annotated[int, Column("rank", "first rank of the bin")]
    rank_high: Annotated[int, Column("rank", "last rank of the bin")]
    rank_mid: Annotated[float, Column("rank", "geometric mean of both")]
    value: Annotated[float, Column("nats per token", "cross-fitted influence")]
    low: Annotated[float, Column("nats per token", "lower end of its interval over documents and token types")]
    high: Annotated[float, Column("nats per token", "upper end")]


def measure_regime_tables(
    shard: InfluenceShard,
    *,
    null_tables: Sequence[NullTable] = (),
    n_bins: int,
    n_resamples: int,
    confidence: float,
    seed: int,
    compare: Sequence[Sequence[str]],
) -> dict[str, list]:
    """Regimes and rank curves of each stratum, and their differences; one seed, so that strata share draws."""
    options = {"n_bins": n_bins, "n_resamples": n_resamples, "confidence": confidence, "seed": seed}
    regimes = [
        RegimeTableRow(stratum, **asdict(row))
        for i, stratum in enumerate(shard.strata)
        for row in measure_regimes(
            shard.influence[i], shard.influence_se[i], shard.cells(stratum), null_tables=null_tables, **options
        )
    ]
    # A panel with other strata (a seed convention beside ours) has no such pair.
    pairs = [pair for pair in compare if set(pair) <= set(shard.strata)]
    differences = [row for pair in pairs for row in _differences(shard, *pair, null_tables, options)]
    return {"regimes": regimes, "curves": list(_curve_points(shard, options)), "differences": differences}


def measure_shard_regimes(
    shard: InfluenceShard,
    *,
    stratum: str,
    sign: str,
    null_tables: Sequence[NullTable] = (),
    n_resamples: int,
    seed: int,
) -> SpacingRegimes:
    """Apply `measure_spacing_regimes` to one stratum and sign of a shard."""
    i = shard.strata.index(stratum)
    keep = of_sign(shard.influence[i], sign)
    return measure_spacing_regimes(
        shard.influence[i][keep],
        shard.influence_se[i][keep],
        shard.cells(stratum).of_neurons(keep),
        null_tables,
        n_resamples=n_resamples,
        seed=seed,
    )


def _differences(
    shard: InfluenceShard, one: str, other: str, null_tables: Sequence[NullTable], options: Mapping[str, float]
) -> Iterator[object]:
    """Rows of one stratum minus another, by one joint resample."""
    for sign in SIGNS:
        draws = {"null_tables": null_tables, "n_resamples": options["n_resamples"], "seed": options["seed"]}
        measured = [measure_shard_regimes(shard, stratum=stratum, sign=sign, **draws) for stratum in (one, other)]
        for row in regime_differences(*measured, confidence=options["confidence"]):
            yield DifferenceRow(one, other, sign, **asdict(row))


def _curve_points(shard: InfluenceShard, options: Mapping[str, float]) -> Iterator[CurvePoint]:
    for stratum in shard.strata:
        cells = shard.cells(stratum)
        for sign in SIGNS:
            if n_of_sign(cells, sign) < 2:
                continue  # the table of regimes says `too_few` for this sign
            curve = rank_curve(cells, sign=sign, **options)
            columns = (curve.rank_low, curve.rank_high, curve.rank_mid, curve.value, curve.low, curve.high)
            for bin_of_curve in zip(*(c.tolist() for c in columns), strict=True):
                yield CurvePoint(stratum, sign, *bin_of_curve)
