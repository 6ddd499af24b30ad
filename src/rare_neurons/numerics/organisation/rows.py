"""Rows of the tables about organisation: co-activation, alignment, communities and overlap of sets."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Sign, Stratum
from rare_neurons.numerics.organisation.comparison import Compared
from rare_neurons.numerics.organisation.overlap import Overlap


@dataclass(frozen=True)
class OfQuantity:
    """First columns of rows that are about one quantity of a stratum's set."""

    stratum: Stratum
    sign: Sign
    quantity: Annotated[str, Column(None, "what is measured (docs/methods/organisation.md)")]
    residualised: Annotated[
        bool, Column(None, "whether frequency of both tokens and position were taken off the activations")
    ]
    n_rows: Annotated[int | None, Column("positions", "rows of activations behind it; null where weights alone are")]


@dataclass(frozen=True)
class OrganisationRow(Compared, OfQuantity):
    """One quantity of one set of one checkpoint."""


@dataclass(frozen=True)
class OfStrata:
    """First columns of rows that are about the top sets of two strata."""

    stratum: Stratum
    other: Annotated[str, Column(None, "the stratum that the set is compared with, chosen on other cells")]
    influence: Annotated[str, Column(None, "`influence` or `influence_within`: what chose both sets")]


@dataclass(frozen=True)
class OverlapRow(Overlap, OfStrata):
    """Two strata and one size of both sets."""
