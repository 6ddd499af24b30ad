"""Stage `activity_evidence`: what may be said of organisation and of kinds, tier by tier."""

from collections.abc import Mapping, Sequence

from rare_neurons.catalogue import JUDGED_ACTIVITY, VERSIONS
from rare_neurons.numerics.claims.asked import ask_all
from rare_neurons.numerics.claims.judge import Subject, judge_activity
from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.stages.evidence import good_shards
from rare_neurons.tables import digest_of_files, from_rows, provenance, read_table, write_rows

TABLE = "timelines/activity_evidence"
_COLUMNS = {"kinds": ["layer", "kind", "counted", "positional", "suppressor"]}


def write_activity_evidence(
    output: str,
    *,
    shards: Sequence[str],
    integrity: Sequence[str],
    subject: str,
    models: Sequence[str],
    controls: Sequence[str],
    strata: Sequence[str],
    evidence: Mapping[str, object],
) -> None:
    """Answer every question about organisation and kinds, for every panel.

    Parameters
    ----------
    output : str
    shards : sequence of str
        ``{table}/{panel}/{model}/step{step}.parquet`` of `JUDGED_ACTIVITY`, all panels, models, controls and declared
        steps.
    integrity : sequence of str
        ``{model}.parquet`` of all models and controls; quarantined checkpoints enter nothing.
    subject : str
    models, controls : sequence of str
    strata : sequence of str
        Those of section ``activity``, in its order.
    evidence : mapping
        Keys ``rule`` and ``step`` (where runs are compared) of the section.
    """
    panels: dict[str, dict[str, dict[str, dict[int, list[dict]]]]] = {}
    for (table, panel, model, at), path in good_shards(shards, integrity).items():
        tables = panels.setdefault(panel, {name: {} for name in JUDGED_ACTIVITY})
        rows = read_table(path, _COLUMNS.get(table)).to_pylist()
        if rows:
            tables[table].setdefault(model, {})[at] = rows
    rows, judged, rule = [], Subject(subject, tuple(models), tuple(controls)), Rule(**evidence["rule"])
    for panel, tables in panels.items():
        found = judge_activity(ask_all(tables, tuple(strata)), judged, rule=rule, step=evidence["step"])
        rows += [{"panel": panel, **vars(row)} for row in found]
    inputs = {"shards": digest_of_files(shards), "integrity": digest_of_files(integrity)}
    params = {"evidence": dict(evidence), "strata": list(strata)}
    about = provenance("activity_evidence", VERSIONS["activity_evidence"], params, inputs)
    write_rows(TABLE, from_rows(TABLE, rows, {"subject": subject}), output, about)
