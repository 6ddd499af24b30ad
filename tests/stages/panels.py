"""A small corpus of random tokens with the vocabulary of the tiny models, and the panel drawn from it."""

import json
from pathlib import Path

import numpy as np

from rare_neurons.stages.panel import write_panel
from rare_neurons.tables import from_columns, write_rows
from tests.models.tiny import LENGTH, VOCAB

END, ONLY_TRAINED = VOCAB - 1, VOCAB - 2
STRATA = {"rare": {"mass": [0.75, 1.0]}, "common": {"mass": [0.0, 0.5]}, "mid": {"mass": [0.5, 0.75]}}
"""Declared in another order than that of their names."""
SETTINGS = {
    "strata": STRATA,
    "context_length": LENGTH,
    "max_contexts": 80,
    "max_contexts_per_document": 4,
    "targets_per_stratum": 60,
    "max_targets_per_type": 6,
    "max_targets_per_document": 8,
    "min_position": 2,
    "token_role": "target",
    "seed": 0,
}
TABLES = ("contexts", "targets", "strata")


def write_corpus(folder: Path) -> dict[str, str]:
    """Token and unigram tables; of two documents one is held out, and one token is in no held-out document."""
    rng = np.random.default_rng(1)
    # Flat enough that each stratum has the types that a grid needs.
    weights = 1 / (np.arange(VOCAB - 5) + 10)
    documents = [rng.choice(VOCAB - 5, 90, p=weights / weights.sum()).astype(np.int32) for _ in range(60)]
    heldout = np.arange(len(documents)) % 2 == 0
    for document, held in zip(documents, heldout, strict=True):
        document[:5] = document[:5] if held else ONLY_TRAINED
    counts = np.bincount(np.concatenate(documents), minlength=VOCAB)
    tokens = {
        "index": np.arange(len(documents)),
        "origin": [f"d{i}" for i in range(len(documents))],
        "document": [f"d{i}" for i in range(len(documents))],
        "heldout": heldout,
        "token_ids": documents,
    }
    unigram = {
        "token_id": np.arange(VOCAB),
        "token": [f"t{i}" for i in range(VOCAB)],
        "count": counts,
        "probability": (counts + 1) / (counts + 1).sum(),
        "rank": np.argsort(np.argsort(-counts, kind="stable")) + 1,
        "seen": counts > 0,
    }
    paths = {name: str(folder / f"{name}.parquet") for name in ("tokens", "unigram")}
    for name, columns in (("tokens", tokens), ("unigram", unigram)):
        table = from_columns(f"corpus/{name}", {}, columns)
        write_rows(f"corpus/{name}", table, paths[name], {"end_of_text_id": END})
    return paths


def draw_panel(folder: Path, corpus: dict[str, str], **changes: object) -> dict[str, str]:
    """Write the panel, and return the paths of its tables."""
    paths = {name: str(folder / f"{name}.parquet") for name in TABLES}
    write_panel(**paths, **corpus, panel="p", settings={**SETTINGS, **changes})
    return paths


def write_tokenizer(folder: Path) -> str:
    """Write a tokenizer of the corpus's tokens."""
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "WordLevel", "vocab": {f"t{i}": i for i in range(VOCAB)}}}))
    return str(path)
