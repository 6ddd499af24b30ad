"""A tiny model and contexts whose strata, documents and types fill the grid."""

import numpy as np

from tests.models.tiny import LENGTH, VOCAB

N_CONTEXTS = 144
STRATA = {"common": {"mass": [0.0, 0.5]}, "rare": {"mass": [0.5, 1.0]}}
DRAW = {"min_position": 2, "targets_per_stratum": 150}
FEW_TYPES = "ignore:stratum .*effective:UserWarning"
"""Sixty-one token types are too few for good intervals, which is said and which most tests are not about."""
QUICK = {"engine": "exact", "placebo_draws": 0}


def random_contexts(seed: int = 0) -> np.ndarray:
    """Token ids `[context, pos]`, flat enough that each stratum has the types that a grid needs."""
    rng = np.random.default_rng(seed)
    weights = 1 / (np.arange(VOCAB) + 10)
    return rng.choice(VOCAB, (N_CONTEXTS, LENGTH), p=weights / weights.sum())


def of_documents() -> np.ndarray:
    """Document of each context: three contexts of each."""
    return np.arange(N_CONTEXTS) // 3
