"""What the tables of evidence say of one subject, by panel; needs no matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from rare_neurons.catalogue import TIMELINES
from rare_neurons.numerics.evidence.rows import EvidenceRow, OnsetRow, TurnRow
from rare_neurons.numerics.wording.standing import Standing, standings
from rare_neurons.selection import Choice, read_timeline
from rare_neurons.tables import table_schema
from rare_neurons.tables.schema import NO_UNIT, UNIT

T = TypeVar("T")


@dataclass(frozen=True)
class Findings:
    """Evidence of a subject at one panel.

    Attributes
    ----------
    panel : str
    questions : list of Standing
        In declared order.
    onsets : list of OnsetRow
    turns : list of TurnRow
    """

    panel: str
    questions: list[Standing]
    onsets: list[OnsetRow]
    turns: list[TurnRow]

    @property
    def n_runs(self) -> int:
        """Largest number of runs that a question has."""
        return max(len(one.runs) for one in self.questions)

    @property
    def n_controls(self) -> int:
        """Largest number of controls that a question has."""
        return max(len(one.controls) for one in self.questions)


def load_findings(results: str | Path, subject: str) -> list[Findings]:
    """Load the evidence of a subject, one entry per panel; none where no checkpoint could be measured."""
    names = ("evidence", "onsets", "turns")
    tables = {name: read_timeline(results, name, Choice(subject)).to_pylist() for name in names}
    found = []
    for panel in dict.fromkeys(row["panel"] for row in tables["evidence"]):
        evidence, onsets, turns = (
            _rows([row for row in tables[name] if row["panel"] == panel], kind)
            for name, kind in zip(names, (EvidenceRow, OnsetRow, TurnRow), strict=True)
        )
        found.append(Findings(panel, standings(evidence), onsets, turns))
    return found


def _rows(records: Sequence[dict], kind: type[T]) -> list[T]:
    names = [field.name for field in fields(kind)]
    return [kind(**{name: record[name] for name in names}) for record in records]


def unit_of(table: str, column: str) -> str:
    """Return the unit of a statistic; empty where no timeline has such a column."""
    name = f"timelines/{table}"
    schema = table_schema(name) if name in TIMELINES else None
    if schema is None or column not in schema.names:
        return ""
    unit = schema.field(column).metadata[UNIT].decode()
    return "" if unit == NO_UNIT else unit
