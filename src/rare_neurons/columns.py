"""What a column is: unit and meaning stand beside its type, where it is defined, and go into every file."""

from dataclasses import dataclass, fields
from typing import Annotated, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """Unit and meaning of a column.

    Attributes
    ----------
    unit : str or None
        None where it has none: a name, a flag, a ratio, an exponent.
    meaning : str
    storage : str or None
        Narrower type of a list's values on disk: ``float32`` or ``int32``.
    dated : bool
        Whether the onset rule may date it, in a timeline with one row per step and stratum.
    """

    unit: str | None
    meaning: str
    storage: str | None = None
    dated: bool = False


Panel = Annotated[str, Column(None, "name of the panel")]
Model = Annotated[str, Column(None, "name of the model in the configuration")]
Subject = Annotated[str, Column(None, "seeds of one recipe, or a single model")]
Step = Annotated[int, Column("optimizer updates", "training step of the checkpoint")]
StepBefore = Annotated[int, Column("optimizer updates", "training step of the checkpoint that the change starts from")]
PLACE = {"subject": Subject, "panel": Panel, "model": Model, "step_before": StepBefore, "step": Step}
"""Columns that say where a row belongs; a table has those that its path or its catalogue entry names."""

Stratum = Annotated[str, Column(None, "class of token types by training frequency")]
Sign = Annotated[str, Column(None, "`all`, `boost` or `suppress`")]
Layer = Annotated[int | None, Column(None, "0-based; null for embeddings")]
Neuron = Annotated[int, Column(None, "index of the MLP neuron, row of W_out")]
Fold = Annotated[int, Column(None, "0 to 11: row of the grid; whole documents are in one fold")]
TypeBin = Annotated[int, Column(None, "0 to 11: column of the grid; all targets of a token type are in one bin")]
NTargets = Annotated[int, Column("targets", "evaluated positions")]
Declared = Annotated[int, Column("rank", "1-based place in the declared order")]
Status = Annotated[str, Column(None, "`ok`, or why values are null")]
Reason = Annotated[str | None, Column(None, "one sentence unless `ok`")]
Quarantined = Annotated[bool, Column(None, "whether averages leave the checkpoint out")]


@dataclass(frozen=True)
class OfStratum:
    """First column of rows that are about a stratum."""

    stratum: Stratum


@dataclass(frozen=True)
class Joined:
    """Last columns of every quantity's timeline: what lead and lag are read against."""

    tokens_seen: Annotated[
        int | None,
        Column("tokens", "training tokens up to the step; null where a step's tokens are not configured"),
    ]
    loss: Annotated[float | None, Column("nats per token", "mean cross-entropy of the target")]
    checkpoint_status: Annotated[str, Column(None, "`status` of the integrity table")]
    quarantined: Quarantined


def joined_row(row: type[T], *parts: object) -> T:
    """Build a row from dataclasses that together have its fields."""
    return row(**{field.name: getattr(part, field.name) for part in parts for field in fields(part)})
