"""What the summary says of organisation and of kinds of neurons."""

from dataclasses import fields

from rare_neurons.numerics.claims.rows import ActivityEvidenceRow
from rare_neurons.numerics.wording.activity import describe_activity
from rare_neurons.tables import find_tables, read_table

TABLE = "timelines/activity_evidence"


def activity_sentences(results: str, subject: str) -> list[str]:
    """Sentences of `timelines/activity_evidence`, panel by panel; none where activity was not asked for."""
    path = find_tables(results, TABLE).get((TABLE, subject))
    if path is None:
        return []
    rows = read_table(path).to_pylist()
    names = [field.name for field in fields(ActivityEvidenceRow)]
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    sentences = []
    for panel in panels:
        mine = [ActivityEvidenceRow(**{name: row[name] for name in names}) for row in rows if row["panel"] == panel]
        where = f"{panel}: " if len(panels) > 1 else ""
        sentences += [where + sentence for sentence in describe_activity(mine)]
    return sentences
