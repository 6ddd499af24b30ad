"""What is asked of organisation and of kinds, in declared order, and what every run's checkpoints say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rare_neurons.numerics.evidence.comparison import Direction

from .findings import Finding

ORGANISATION, KINDS = "organisation", "kinds"
FAMILIES = (ORGANISATION, KINDS)
NATS, SCORE, SHARE = "nats", "normal score of p", "share of neurons"

CO_ACTIVATION, JOINT, ALIGNMENT = "co-activation", "joint ablation", "common output directions"
COMMUNITIES, ROUTING = "communities", "routing"
Findings = Mapping[str, Sequence[Finding]]
"""By model, in the order of steps."""


@dataclass(frozen=True)
class SetQuestion:
    """A question about sets of final-layer neurons.

    Attributes
    ----------
    name : str
    table : str
        Where a checkpoint's answer stands: ``organisation``, ``sets`` or ``routing``.
    quantity : str or None
        Of ``organisation``.
    direction : {"rise", "either"}
    unit : str
    specific : bool
        Whether its effect can be compared between strata: in one unit, whatever a stratum's loss is.
    signs : tuple of str
        Sets of which it is asked.
    """

    name: str
    table: str
    quantity: str | None
    direction: Direction
    unit: str
    specific: bool
    signs: tuple[str, ...]


_EVERY = ("all", "boost", "suppress")
SET_QUESTIONS = (
    SetQuestion(CO_ACTIVATION, "organisation", "excess_square_correlation", "rise", "r²", True, _EVERY),
    SetQuestion(JOINT, "sets", None, "either", NATS, False, _EVERY),
    SetQuestion(ALIGNMENT, "organisation", "square_cosine_without_gradients", "rise", "squared cosine", True, ("all",)),
    SetQuestion(COMMUNITIES, "organisation", "cross_modularity", "rise", "modularity", False, ("all",)),
    SetQuestion(ROUTING, "routing", None, "rise", SCORE, False, ("all",)),
)
PRIMARY = (CO_ACTIVATION, JOINT)
"""Asked first, of the first stratum and sets of any sign."""

KIND_QUESTIONS = ("dead", "token_detector", "bigram_detector", "trigram_detector", "positional", "suppressor")
"""Whether there are more of them than at the start."""


@dataclass(frozen=True)
class Asked:
    """One question about one stratum or kind, with what all runs and controls say.

    Attributes
    ----------
    question, stratum, sign, family, unit : str
    direction : {"rise", "either"}
    primary : bool
    findings : mapping of str to sequence of Finding
        Of runs and controls.
    others : mapping of str to sequence of Finding
        The same of another stratum; empty where tier `specific` is not asked.
    """

    question: str
    stratum: str
    sign: str
    family: str
    unit: str
    direction: Direction
    primary: bool
    findings: Findings
    others: Findings = field(default_factory=dict)
