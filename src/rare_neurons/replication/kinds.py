"""Tables of the replication about kinds of neurons: Voita et al.'s and Stolfo et al.'s, beside step 0 and controls."""

import pandas as pd

from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import markdown, number, percent, significant
from rare_neurons.replication.organisation import answer_cells

_DETECTORS = ("token_detector", "bigram_detector", "trigram_detector")
POSITIONAL = 0.05
"""Nats, Voita et al.'s threshold, from which they take no bias off."""


def kinds(tree: Tree) -> str:
    """Neurons by kind at each checkpoint, over the layers that count."""
    header = [
        "values",
        "neurons",
        "dead",
        *(name.replace("_", " ") for name in _DETECTORS),
        "undecided",
        "at .05 nats of position",
        "the same, of rotated contexts",
        "positional",
    ]
    rows = []
    for case in tree.cases():
        table = tree.shard("kinds", case)
        table = None if table is None else table[table.counted.astype(bool)]
        if table is None or not len(table):
            continue
        of_kind = [str(int((table.kind == kind).sum())) for kind in (*_DETECTORS, "undecided")]
        naive = [str(int((table[name] >= POSITIONAL).sum())) for name in ("position_information", "position_rotated")]
        dead = percent(float((table.kind == "dead").mean()))
        positional = str(int(table.positional.astype(bool).sum()))
        rows.append([case.label, str(len(table)), dead, *of_kind, *naive, positional])
    return markdown(header, rows or [["–"] * len(header)])


_VOITA = (
    ("dead neurons", "over 70 % of some layers (66b)", "dead"),
    ("detectors of tokens", "many of the others, early layers", "token_detector"),
    ("detectors of bigrams", "n-grams: the same", "bigram_detector"),
    ("detectors of trigrams", "n-grams: the same", "trigram_detector"),
    ("positional neurons", "some; ranges of positions in small models", "positional"),
    ("suppressors of their trigger", "detectors remove what triggers them", "suppressor"),
)


def kind_claims(tree: Tree) -> str:
    """Voita et al.'s kinds, and whether there are more here than at step 0."""
    header = ["kind", "published", "tier reached", "more than at step 0", "p, paid for", "would have been found"]
    rows = []
    for name, published, kind in _VOITA:
        answers = tree.activity_evidence
        mine = answers[(answers.panel == tree.ours) & (answers.question == f"kind: {kind}") & (answers.tier == "seeds")]
        rows.append([name, published, *answer_cells(mine, lambda x: "–" if x is None else percent(x))])
    return markdown(header, rows, text=2)


def readout(tree: Tree) -> str:
    """Entropy and token-frequency neurons of the last layer, largest values, beside chance and step 0."""
    header = [
        "values",
        "largest share in the null space of the unembedding",
        "of a random direction",
        "smallest logit variance",
        "largest change of the entropy (10⁻³ nats)",
        "largest influence along frequency (10⁻³ nats)",
        "largest influence (10⁻³ nats)",
    ]
    rows = []
    for case in tree.cases():
        table = tree.shard("readout", case)
        table = None if table is None else table[table.stratum == tree.strata[0]]
        if table is None or not len(table):
            continue
        influence = tree.neurons(panel=tree.ours, model=case.model, step=case.step, stratum=tree.strata[0]).influence
        sizes = [_largest(table.abs_entropy_change), _largest(table.frequency_influence), _largest(influence)]
        share, chance = float(table.null_share.max()), float(table.null_chance.iloc[0])
        weights = [number(share), number(chance), number(float(table.logit_variance.min()))]
        rows.append([case.label, *weights, *(significant(None if s is None else 1e3 * s) for s in sizes)])
    return markdown(header, rows or [["–"] * len(header)])


def _largest(values: pd.Series) -> float | None:
    known = values.dropna().abs()
    return float(known.max()) if len(known) else None
