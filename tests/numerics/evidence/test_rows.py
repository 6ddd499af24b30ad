"""Rows of evidence: every question, run and tier in its own row, with the columns that the catalogue writes."""

from dataclasses import fields

from rare_neurons.catalogue import TABLES, load
from rare_neurons.numerics.evidence.rows import OfQuestion


def test_every_table_of_evidence_says_which_question_and_run_a_row_is_about():
    own = [field.name for field in fields(OfQuestion)]
    for name in ("evidence", "onsets", "turns", "courses"):
        table = TABLES[f"timelines/{name}"]
        columns = [field.name for field in fields(load(table.row))]
        assert columns[: len(own)] == own
        assert set(table.keys) <= set(columns)
