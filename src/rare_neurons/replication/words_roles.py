"""Sentences of the page on roles of tokens, evidence and published claims."""

from collections import Counter

from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.replication.answers import worded
from rare_neurons.replication.layout import CONTROL, Rows, number, read_numbers
from rare_neurons.replication.phrases import first, listed, ratio, span
from rare_neurons.replication.published import NOT_JUDGED

_ENDS = tuple(map(worded, (*TIERS[::-1], None)))
"""What a question may end at, the highest first."""


def of_roles(rows: Rows) -> str:
    """How far the neurons that matter for tokens read are those that matter for tokens predicted."""
    sentences = []
    for name, control in (("runs", False), ("controls", True)):
        side = [row for row in rows if (CONTROL in row[0]) == control]
        reliable = [row for row in side if read_numbers(row[4])]
        if not side:
            continue
        sentences.append(
            f"In {len(reliable)} of {len(side)} {name} the quadrants agree (a correlation above 0) within both roles."
        )
        if reliable:
            agreed, shared = [first(row[4]) for row in reliable], [read_numbers(row[5]) for row in reliable]
            sentences.append(
                f"There, ranks by the token predicted and by the token read agree by {span(agreed, 2)} without noise, "
                f"and of the top {shared[0][1]:.0f} neurons {span([s[0] for s in shared], 0)} are shared "
                f"({number(first(reliable[0][6]), 1)} by chance)."
            )
        else:
            sentences.append("Their other columns mean nothing.")
    return " ".join(sentences)


def of_effects(rows: Rows) -> str:
    """How large influence on one stratum is beside the other, by role, and how much of it is within the stratum."""
    found: dict[str, dict[str, list[list[str]]]] = {}
    for row in rows:
        if CONTROL not in row[0]:
            role = row[1].split(" token ")[1]
            found.setdefault(role, {}).setdefault(row[0], []).append(row)
    sentences = []
    for role, runs in found.items():
        pairs = [pair for pair in runs.values() if len(pair) == 2]
        if not pairs:
            continue
        rare, common = (row[1].split(" token ")[0] for row in pairs[0])
        beside = [v for one, other in pairs if (v := ratio(one[3], other[3])) is not None]
        within = [100 * v for one, _ in pairs if (v := ratio(one[4], one[3])) is not None]
        sentences.append(
            f"By the token {role}, rms influence on {rare} tokens is {span(beside, 1)} times that on {common} ones in "
            f"the runs; its part within the stratum has {span(within, 0)} % of that size."
        )
    return " ".join(sentences)


def of_answers(rows: Rows) -> str:
    """How many questions reach which tier, by role."""
    sentences = []
    for role in dict.fromkeys(row[1] for row in rows):
        reached = Counter(row[9] for row in rows if row[1] == role and row[9] in _ENDS)
        if reached:
            ends = [f"{tier} ({reached[tier]})" for tier in _ENDS if reached[tier]]
            sentences.append(f"By the token {role}, questions by their highest tier: {listed(ends)}.")
    return " ".join(sentences)


def of_published(rows: Rows) -> str:
    """Which conventions find in noise what they find in the runs, and what no test of ours is about."""
    alike = [row[0] for row in rows if row[2] == row[5] != "–"]
    open_ones = [row[0] for row in rows if row[6] == NOT_JUDGED]
    same = f"Noise gives the very value of the runs for {len(alike)} of {len(rows)} claims"
    named = f": {'; '.join(alike)}." if alike else "."
    return f"{same}{named} No test of ours is about {len(open_ones)} of them."
