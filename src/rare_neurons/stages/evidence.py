"""Stage `evidence`: what may be said of a subject, tier by tier, with dates, turns and the courses behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.evidence.history import History
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.question import Question, Rule
from rare_neurons.numerics.evidence.run_study import RunStudy, study_run
from rare_neurons.numerics.evidence.specific import SpecificEvidence, judge_specific
from rare_neurons.numerics.evidence.strata_pair import RunInfluence
from rare_neurons.numerics.evidence.subject_study import declared_step, study_subject
from rare_neurons.numerics.evidence.tables import Asked, course_rows, evidence_rows, onset_rows, turn_rows
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.leave_outs import stack
from rare_neurons.stages.cell_tables import behaviour_statistics, influence_pair, moment_statistics
from rare_neurons.stages.reporting import bar
from rare_neurons.tables import digest_of_files, from_rows, index_paths, provenance, read_table, write_rows

NAMES = ("evidence", "onsets", "turns", "courses")
_READERS = {"behaviour": behaviour_statistics, "moments": moment_statistics}

_Pair = tuple[str, str]  # the stratum that a question is about, and the one it goes against


@dataclass(frozen=True)
class _Shards:
    """Good shards of the models at one panel: paths by (table, model, step)."""

    paths: Mapping[tuple[str, str, int], str]

    def steps(self, table: str, model: str) -> list[int]:
        return sorted(step for name, owner, step in self.paths if (name, owner) == (table, model))


def write_evidence(
    outputs: Mapping[str, str],
    *,
    shards: Sequence[str],
    integrity: Sequence[str],
    subject: str,
    models: Sequence[str],
    controls: Sequence[str],
    panels: Sequence[str],
    options: Mapping[str, object],
) -> None:
    """Answer every declared question at every tier.

    Parameters
    ----------
    outputs : mapping
        A path for each of `NAMES`.
    shards : sequence of str
        ``{behaviour,moments}/{panel}/{model}/step{step}.parquet`` of all panels, models, controls and steps.
    integrity : sequence of str
        ``{model}.parquet`` of all models and controls; quarantined checkpoints enter nothing.
    subject : str
    models, controls : sequence of str
    panels : sequence of str
    options : mapping
        Section ``evidence`` of the configuration.
    """
    rule, questions = Rule(**options["rule"]), [Question(name, **q) for name, q in options["questions"].items()]
    rows: dict[str, list] = {name: [] for name in NAMES}
    good = good_shards(shards, integrity)
    for panel in panels:
        here = _Shards({(t, m, s): path for (t, p, m, s), path in good.items() if p == panel})
        asked, step = _asked(here, questions, models, controls, rule, options)
        place = {"panel": panel}
        found = {
            "evidence": evidence_rows(subject, asked, step=step, rule=rule),
            "onsets": onset_rows(subject, asked, rule=rule),
            "turns": turn_rows(asked),
            "courses": course_rows(asked, rule=rule),
        }
        for name, some in found.items():
            rows[name] += [{**place, **vars(row)} for row in some]
    inputs = {"shards": digest_of_files(shards), "integrity": digest_of_files(integrity)}
    about = provenance("evidence", VERSIONS["evidence"], dict(options), inputs)
    for name in NAMES:
        table = f"timelines/{name}"
        write_rows(table, from_rows(table, rows[name], {"subject": subject}), outputs[name], about)


def good_shards(shards: Sequence[str], integrity: Sequence[str]) -> dict[tuple[str, str, str, int], str]:
    """Shards with rows of checkpoints that are not quarantined."""
    held = {
        (row["model"], row["step"])
        for path in integrity
        for row in read_table(path, ["model", "step", "quarantined"]).to_pylist()
        if row["quarantined"]
    }
    return {key: path for key, path in index_paths(shards).items() if (key[2], key[3]) not in held}


def _asked(
    shards: _Shards,
    questions: Sequence[Question],
    models: Sequence[str],
    controls: Sequence[str],
    rule: Rule,
    options: Mapping[str, object],
) -> tuple[list[Asked], int | None]:
    found: dict[tuple[str, int], RunStudy] = {}
    # One draw for all: what questions and runs share over documents and types, their noise shares.
    noise = draw_noise(n_folds=N_FOLDS, rng=np.random.default_rng(options["seed"]), draws=int(options["n_draws"]))
    for model in bar((*models, *controls), label="evidence"):
        histories = _histories(shards, model, questions)
        for k, question in enumerate(questions):
            if histories[k] is not None:
                found[model, k] = study_run(histories[k], question, rule=rule, noise=noise)
    everyone = [study.history for study in found.values()]
    step = declared_step(everyone, options["step"])
    pairs = dict.fromkeys((q.stratum, q.against) for q in questions if q.against is not None)
    specific = {pair: _specific(shards, pair, models, controls, step, rule) for pair in pairs}
    asked = []
    for k, question in enumerate(questions):
        own, other = ({m: found[m, k] for m in side if (m, k) in found} for side in (models, controls))
        if own:
            subject = study_subject(
                question, runs=list(own.values()), controls=list(other.values()), step=step, rule=rule
            )
            asked.append(Asked(question, own, other, subject, specific.get((question.stratum, question.against))))
    return asked, step


def _histories(shards: _Shards, model: str, questions: Sequence[Question]) -> list[History | None]:
    """Each question's statistic over the good checkpoints of a model; None where its panel has no such stratum."""
    wanted = {(q.stratum, q.column) for q in questions}
    found: dict[tuple[str, str], list] = {key: [] for key in wanted}
    steps: dict[tuple[str, str], list[int]] = {key: [] for key in wanted}
    for table in dict.fromkeys(q.table for q in questions):
        columns = {(q.stratum, q.column) for q in questions if q.table == table}
        for step in shards.steps(table, model):
            for key, value in _READERS[table](read_table(shards.paths[table, model, step]), columns).items():
                found[key].append(value)
                steps[key].append(step)
    return [
        History(tuple(steps[key]), stack(found[key])) if found[key] else None
        for key in ((q.stratum, q.column) for q in questions)
    ]


def _specific(
    shards: _Shards, pair: _Pair, models: Sequence[str], controls: Sequence[str], step: int | None, rule: Rule
) -> SpecificEvidence | None:
    """Tier `specific` of a pair of strata: questions about the same one share it."""
    if step is None:
        return None
    sides = [[_influence(shards, model, step, pair) for model in side] for side in (models, controls)]
    runs, others = ([one for one in side if one is not None] for side in sides)
    if not runs:
        return None
    return judge_specific(runs=runs, controls=others, decision=rule.decision("rise"))


def _influence(shards: _Shards, model: str, step: int, pair: _Pair) -> RunInfluence | None:
    if ("moments", model, step) not in shards.paths:
        return None
    first = shards.steps("moments", model)[0]
    table, start = (read_table(shards.paths["moments", model, s]) for s in (step, first))
    strata = set(pc.unique(table["stratum"]).to_pylist())
    if not set(pair) <= strata:
        return None
    rare, common = pair
    return influence_pair(table, start, rare=rare, common=common)
