"""Stage `claims`: what may be said of a model, or a subject, beside its controls; one row per claim."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.claims.controls import Controls, Null
from rare_neurons.numerics.claims.evidence import (
    Evidence,
    change_since_start,
    no_change,
    over_seeds,
    ratio_over_seeds,
)
from rare_neurons.numerics.claims.judge import judge_claim
from rare_neurons.numerics.claims.specialisation import (
    Statistic,
    evidence_of,
    inequality_beyond,
    mean_over_runs,
    regime_gain,
    within_beyond,
)
from rare_neurons.numerics.multiplicity import control_multiplicity
from rare_neurons.numerics.regimes.rank_curve import SIGNS
from rare_neurons.stages.claim_inputs import LAST, START, Results, Runs
from rare_neurons.stages.metric import read_shard
from rare_neurons.tables import digest_of, file_sha256, from_rows, provenance, read_table, write_rows

_JOINT = "no difference between the strata, contexts and neurons resampled jointly"
_SMOOTH = "a smooth law: the largest p of seven families and of all runs"
_MATCHED = "random sets matched in |w_in|, |w_out| and activation variance; the largest p of all runs"
_WALK = "white noise, AR(1) and random walk with the same increments"


@dataclass(frozen=True)
class _Asked:
    """A claim before it is judged: the statistic in the runs, at their start, and in the shuffled runs."""

    quantity: str
    unit: str
    null: str
    sample_unit: str
    evidence: Evidence | None
    control_step0: Evidence | None
    control_shuffled: Evidence | None
    null_p: float | None
    direction: str = "rise"
    null_minimal_effect: float | None = None


_Found = tuple[Evidence | None, float | None]


@dataclass(frozen=True)
class _Question:
    """A claim about one checkpoint of each run; `measure` gives evidence and p of some runs at some checkpoint."""

    strata: frozenset[str]
    quantity: str
    unit: str
    null: str
    sample_unit: str
    measure: Callable[[tuple[str, ...], str], _Found]


def write_claims(
    output: str,
    inputs: Mapping[str, Sequence[str] | str],
    *,
    subject: str,
    models: Sequence[str],
    controls: Sequence[str],
    panels: Sequence[str],
    options: Mapping[str, object],
    quantities: Mapping[str, Mapping[str, str]],
) -> None:
    """Judge every claim of a subject at its last good checkpoint, and the same claims at its step 0.

    Nothing is learned at step 0, and next to nothing about rare tokens from shuffled text: a subject that is a control
    is judged by the null and by the other control alone, so that the table shows what the nulls let through.

    Parameters
    ----------
    output : str
    inputs : mapping
        ``shards``: ``{table}/{panel}/{model}/step{step}.parquet`` of `claim_inputs.SHARDS`, all panels, models,
        controls and steps. ``integrity``: ``{model}.parquet`` of all models and controls. ``emergence``: onsets of the
        subject. ``timelines``: ``{table}/{model}.parquet`` of the tables that the declared quantities are in.
    subject : str
    models, controls : sequence of str
        The runs, and the runs on unigram-shuffled text that are declared as their control (or the models themselves,
        where they are such runs).
    panels : sequence of str
    options : mapping
        Section ``claims`` of the configuration.
    quantities : mapping
        The declared onset quantities.
    """
    integrity, emergence, timelines = (inputs[name] for name in ("integrity", "emergence", "timelines"))
    results = Results(inputs["shards"], integrity, timelines)
    is_control = "the shuffled run" if set(controls) == set(models) else None
    shuffled = () if is_control else tuple(controls)
    rows = []
    for panel in panels:
        runs = Runs(results, panel, tuple(models), shuffled, options)
        questions = list(_questions(runs))
        asked = [*_asked(runs, questions, LAST), *_changes(runs, emergence, quantities)]
        rows += _judged(runs, LAST, asked, subject, is_control)
        if is_control is None:
            rows += _judged(runs, START, _asked(runs, questions, START), subject, START)
    digests = {
        "shards": digest_of(results.digests()),
        "tables": digest_of([file_sha256(path) for path in (*integrity, emergence, *timelines)]),
    }
    about = provenance("claims", VERSIONS["claims"], dict(options), digests)
    write_rows("claims", from_rows("claims", rows), output, about)


def _questions(runs: Runs) -> Iterator[_Question]:
    """Yield what is asked of one checkpoint of each run."""
    draws = {"n_resamples": int(runs.options["n_resamples"]), "seed": int(runs.options["seed"])}
    for stratum, other in runs.options["compare"]:
        ask = partial(_Question, frozenset((stratum, other)))
        contrasts: dict[str, tuple[str, str, Callable[..., Statistic]]] = {
            f"within-stratum influence on {stratum} beyond {other} tokens": ("nats", "within_sum", within_beyond),
            f"inequality of neurons on {stratum} beyond {other} tokens": ("Gini", "influence_sum", inequality_beyond),
        }
        for quantity, (unit, column, statistic) in contrasts.items():
            measure = partial(_contrast, runs, column, partial(statistic, stratum=stratum, other=other, **draws))
            yield ask(quantity, unit, _JOINT, "context and neuron", cache(measure))
        for sign in SIGNS:
            measure = partial(_regimes, runs, stratum, sign, draws)
            quantity = f"regimes of influence on {stratum} tokens ({sign})"
            yield ask(quantity, "log-likelihood", _SMOOTH, "context", cache(measure))
        for matrix in ("W_in", "W_out_without_gradients"):
            measure = partial(_groups, runs, stratum, matrix)
            quantity = f"common directions of the top neurons on {stratum} tokens ({matrix})"
            yield ask(quantity, "times random sets", _MATCHED, "seed", cache(measure))


def _asked(runs: Runs, questions: Sequence[_Question], at: str) -> list[_Asked]:
    """Claims about one checkpoint of each run, where all runs have the strata."""
    strata, asked = _strata(runs, at), []
    for question in questions:
        if question.strata <= strata:
            evidence, p = question.measure(runs.models, at)
            controls = question.measure(runs.models, START)[0], question.measure(runs.shuffled, LAST)[0]
            about = question.quantity, question.unit, question.null, question.sample_unit
            asked.append(_Asked(*about, evidence, *controls, p))
    return asked


def _strata(runs: Runs, at: str) -> set[str]:
    paths = runs.shards(runs.models, at, "influence") or []
    return (
        set.intersection(*(set(read_table(p, ["stratum"])["stratum"].to_pylist()) for p in paths)) if paths else set()
    )


def _contrast(runs: Runs, column: str, statistic: Callable[..., Statistic], models: tuple[str, ...], at: str) -> _Found:
    influence, folds = (runs.shards(models, at, table) for table in ("influence", "folds"))
    pairs = zip(influence or (), folds or (), strict=True)
    return _of_contexts(runs, [statistic(read_shard(i, f, column=column)) for i, f in pairs])


def _regimes(runs: Runs, stratum: str, sign: str, draws: Mapping[str, int], models: tuple[str, ...], at: str) -> _Found:
    paths = [runs.shards(models, at, table) or () for table in ("influence", "folds", "regimes")]
    found, about = [], {"stratum": stratum, "sign": sign}
    for influence, folds, regimes in zip(*paths, strict=True):
        where = {**about, "convention": "log_spacing"}
        (row,) = _rows(read_table(regimes, [*where, "null_p"]), where)
        found.append(regime_gain(read_shard(influence, folds), null_p=row["null_p"], **about, **draws))
    return _of_contexts(runs, found)


def _of_contexts(runs: Runs, found: Sequence[Statistic | None]) -> _Found:
    statistic = mean_over_runs(found)
    if statistic is None:
        return None, None
    return evidence_of(statistic, runs.confidence, len(found)), statistic.null_p


def _groups(runs: Runs, stratum: str, matrix: str, models: tuple[str, ...], at: str) -> _Found:
    paths = runs.shards(models, at, "set_spectra") or []
    tables = [_rows(read_table(path), {"stratum": stratum, "matrix": matrix}) for path in paths]
    rows = [row for table in tables for row in table]
    top, null = ([row[name] for row in rows] for name in ("top_eigenvalue", "null_median"))
    return ratio_over_seeds(top, null, runs.confidence), max((row["p_value"] for row in rows), default=None)


def _changes(runs: Runs, emergence: str, quantities: Mapping[str, Mapping[str, str]]) -> Iterator[_Asked]:
    """Yield changes over training that the onset rule was asked for, on the strata that claims are about."""
    about = {stratum for stratum, _ in runs.options["compare"]}
    onsets = {row["quantity"]: row for row in _rows(read_table(emergence), {"panel": runs.panel})}
    for name, wanted in quantities.items():
        if wanted["stratum"] not in about or name not in onsets:
            continue
        onset = onsets[name]
        own, shuffled = (
            [c for model in models if (c := _change(runs, model, wanted)) is not None]
            for models in (runs.models, runs.shuffled)
        )
        yield _Asked(
            quantity=f"change since step 0 of {name}",
            unit="gini" if wanted["table"] == "inequality" else "nats",
            null=_WALK,
            sample_unit="seed",
            evidence=over_seeds(own, runs.confidence),
            control_step0=no_change(len(own)),
            control_shuffled=over_seeds(shuffled, runs.confidence),
            null_p=onset["p_value"],
            direction="rise" if wanted["direction"] == "either" else wanted["direction"],
            null_minimal_effect=onset["minimal_effect"],
        )


def _change(runs: Runs, model: str, wanted: Mapping[str, str]) -> float | None:
    table = runs.results.timeline(wanted["table"], model)
    rows = _rows(table, {"panel": runs.panel, "stratum": wanted["stratum"], "quarantined": False})
    return change_since_start({row["step"]: row[wanted["column"]] for row in rows if row[wanted["column"]] is not None})


def _judged(runs: Runs, at: str, asked: list[_Asked], subject: str, is_control: str | None) -> Iterator[dict]:
    """Judge claims that are looked at together."""
    if at == START:
        asked = [replace(one, control_step0=None) for one in asked]
    adjusted = control_multiplicity([one.null_p for one in asked])
    for rank, (one, p) in enumerate(zip(asked, adjusted, strict=True), start=1):
        claim = judge_claim(
            one.quantity,
            one.evidence,
            controls=Controls(one.control_step0, one.control_shuffled, is_control),
            null=Null(one.null, one.null_p, float(p), one.null_minimal_effect),
            sample_unit=one.sample_unit,
            direction=one.direction,
            level=float(runs.options["level"]),
        )
        place = {"subject": subject, "panel": runs.panel, "declared": rank, "judged_at": at}
        yield {**place, "unit": one.unit, "direction": one.direction, **asdict(claim)}


def _rows(table: pa.Table, where: Mapping[str, object]) -> list[dict]:
    for column, value in where.items():
        table = table.filter(pc.equal(table[column], value))
    return table.to_pylist()
