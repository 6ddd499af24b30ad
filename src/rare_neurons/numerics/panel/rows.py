"""Rows of the corpus and of the panel."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Fold, NTargets, Reason, Stratum, TypeBin

Index = Annotated[int, Column(None, "0-based place of the document in the corpus")]
_HELDOUT = Column(None, "whether the document is kept for panels")


@dataclass(frozen=True)
class DocumentRow:
    """One document as text."""

    index: Index
    origin: Annotated[str, Column(None, "file or data set that the document comes from")]
    document: Annotated[str, Column(None, "name of the document")]
    heldout: Annotated[bool, _HELDOUT]
    text: Annotated[str, Column(None, "its text")]


@dataclass(frozen=True)
class TokensRow:
    """One document as token ids."""

    index: Index
    origin: Annotated[str, Column(None, "file or data set that the document comes from")]
    document: Annotated[str, Column(None, "name of the document")]
    heldout: Annotated[bool, _HELDOUT]
    token_ids: Annotated[list[int], Column("token id", "list over positions", "int32")]


@dataclass(frozen=True)
class UnigramRow:
    """One token type."""

    token_id: Annotated[int, Column("token id", "index in the vocabulary")]
    token: Annotated[str | None, Column(None, "the token as the tokenizer spells it")]
    count: Annotated[int, Column("tokens", "occurrences in the training distribution")]
    probability: Annotated[float, Column("share", "smoothed share of the training distribution")]
    rank: Annotated[int, Column("rank", "1-based, by falling count")]
    seen: Annotated[bool, Column(None, "whether it occurs at all")]


@dataclass(frozen=True)
class ContextRow:
    """One window of text."""

    context: Annotated[int, Column(None, "index of the context")]
    fold: Fold
    token_ids: Annotated[list[int], Column("token id", "list over positions", "int32")]


@dataclass(frozen=True)
class TargetRow:
    """One evaluated position."""

    context: Annotated[int, Column(None, "index of the context")]
    position: Annotated[int, Column("tokens", "0-based position whose logits predict the target")]
    input_id: Annotated[int, Column("token id", "the token read there")]
    target_id: Annotated[int, Column("token id", "the token predicted: the next one")]
    document: Annotated[int, Column(None, "index of the document that the target comes from, among the held-out ones")]
    type_bin: TypeBin
    stratum: Stratum


@dataclass(frozen=True)
class StratumRow:
    """How large a stratum is in the vocabulary, the training text and the panel."""

    stratum: Stratum
    vocabulary_types: Annotated[int, Column("types", "token types of the stratum")]
    training_mass: Annotated[float, Column("share", "share of the training distribution")]
    largest_count: Annotated[int, Column("tokens", "occurrences of its most frequent type")]
    smallest_count: Annotated[int, Column("tokens", "occurrences of its rarest type")]
    n_targets: NTargets
    n_types: Annotated[int, Column("types", "distinct types among the targets")]
    largest_type_share: Annotated[float, Column("share", "share of the targets that the largest type has")]
    n_documents: Annotated[int, Column("documents", "distinct documents among the targets")]
    n_documents_effective: Annotated[
        float, Column("documents", "as many documents with equally many targets each: (Σn)²/Σn²")
    ]
    n_types_effective: Annotated[float, Column("types", "as many types with equally many targets each: (Σn)²/Σn²")]
    status: Annotated[str, Column(None, "`ok`, or `few`: below 30 effective, where intervals are too narrow")]
    reason: Reason
