"""Sentences of claims about organisation and kinds, where they were judged."""

from dataclasses import fields

from rare_neurons.numerics.claims.rows import ActivityEvidenceRow
from rare_neurons.stages.summary_activity import TABLE, activity_sentences
from tests.numerics.wording.test_activity import SET
from tests.stages.tables import put


def test_panels_are_named_where_there_are_several(tmp_path):
    assert activity_sentences(str(tmp_path), "s") == []
    row = {field.name: getattr(SET, field.name) for field in fields(ActivityEvidenceRow)}
    put(tmp_path, TABLE, {"subject": "s"}, [{"panel": "p", **row}])
    assert activity_sentences(str(tmp_path), "s")[0].startswith("Co-activation, rare tokens")
    put(tmp_path, TABLE, {"subject": "s"}, [{"panel": panel, **row} for panel in ("p", "q")])
    assert activity_sentences(str(tmp_path), "s")[2].startswith("q: Co-activation, rare tokens")
