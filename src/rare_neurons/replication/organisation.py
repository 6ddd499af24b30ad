"""Tables of the replication about how rare-token neurons are organised: conventions, noise, and what ours say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from rare_neurons.numerics.organisation.alignment import near_right_angles
from rare_neurons.numerics.organisation.coactivation import effective_dimension_95
from rare_neurons.numerics.organisation.communities import in_sample_modularity
from rare_neurons.numerics.organisation.residuals import correlations
from rare_neurons.numerics.organisation.row_correlations import unit_rows
from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.replication.layout import band, markdown, number

CONVENTIONS = ("effective_dimension_95", "in_sample_modularity", "near_right_angles")
DECIDES = "excess_square_correlation"
NOISE = "independent neurons"
_DRAWS = 99
_SEED = 0


def organisation(tree: Tree) -> str:
    """Conventions of the studies at each checkpoint and on noise, beside what decides here."""
    header = [
        "values",
        "directions for 95 % of the variance, over neurons",
        "matched",
        "modularity, same rows",
        "matched",
        "pairs near right angles",
        "matched",
        "excess r²",
        "matched",
        "placebo",
    ]
    rows = [[NOISE, *_noise_cells(tree)]]
    for case in tree.cases():
        found = {name: _quantity(tree, case, name) for name in (*CONVENTIONS, DECIDES)}
        if all(row is None for row in found.values()):
            continue
        cells = [number(_value(found[name], column), 3) for name in CONVENTIONS for column in ("value", "null_median")]
        decides = [number(_value(found[DECIDES], c), 3) for c in ("value", "null_median", "placebo_value")]
        rows.append([case.label, *cells, *decides])
    return markdown(header, rows)


def _noise_cells(tree: Tree) -> list[str]:
    shape = _shape(tree)
    if shape is None:
        return ["–"] * 9
    dimension, modularity, angles = noise_conventions(*shape, tree.d_model)
    return [band(dimension, 3), "–", band(modularity, 3), "–", band(angles, 3), "–", "0.000", "0.000", "–"]


def _shape(tree: Tree) -> tuple[int, int] | None:
    """Size of the sets, and rows of activations behind them."""
    rows = tree.activity["organisation"]
    rows = rows[(rows.quantity == CONVENTIONS[0]) & rows.n_rows.notna()]
    return (int(rows.n_set.iloc[0]), int(rows.n_rows.iloc[0])) if len(rows) else None


@cache
def noise_conventions(n_set: int, n_rows: int, d_model: int) -> tuple[tuple[float, ...], ...]:
    """Read the three conventions off independent neurons with independent directions, over `_DRAWS` draws."""
    rng = np.random.default_rng(_SEED)
    members, found = np.arange(n_set), []
    for _ in range(_DRAWS):
        rows = rng.standard_normal((n_rows, n_set))
        unit = unit_rows(rng.standard_normal((n_set, d_model)), None)
        standardised = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        angles = float(near_right_angles(unit, members[None])[0])
        dimension = effective_dimension_95(standardised, members)
        found.append((dimension, in_sample_modularity(correlations(standardised)), angles))
    return tuple(zip(*found, strict=True))


def _quantity(tree: Tree, case: Case, name: str) -> pd.Series | None:
    where = {"model": case.model, "step": case.step, "panel": tree.ours, "stratum": tree.strata[0], "sign": "all"}
    return tree.measured(**where, quantity=name, residualised=name == DECIDES)


def _value(row: pd.Series | None, column: str) -> float | None:
    return None if row is None or pd.isna(row[column]) else float(row[column])


@dataclass(frozen=True)
class _Claim:
    """A published claim about organisation, and the question of ours that comes nearest."""

    study: str
    claim: str
    published: str
    noise: str
    question: str


def organisation_claims(tree: Tree) -> str:
    """Lay out published number, convention here, what noise gives, and what ours say."""
    about = ["study", "published claim", "published", "last step here", "noise", "our question"]
    header = [*about, "tier reached", "effect beyond matched sets", "p, paid for", "would have been found"]
    shape = _shape(tree)
    noise = (("–",) * 3) if shape is None else tuple(band(x, 2) for x in noise_conventions(*shape, tree.d_model))
    claims = (
        (_Claim("No Clustering", "no modules among them", ".05 – .11", noise[1], "co-activation"), CONVENTIONS[1]),
        (_Claim("Distributed", "few shared directions", ".49 – .56", noise[0], "co-activation"), CONVENTIONS[0]),
        (
            _Claim("Distributed", "output directions far apart", "–", noise[2], "common output directions"),
            CONVENTIONS[2],
        ),
        (_Claim("No Clustering", "no attention head prefers them", "–", "–", "routing"), None),
        (_Claim("Distributed", "they act together", "–", "–", "joint ablation"), None),
    )
    rows = [
        [c.study, c.claim, c.published, _last(tree, name), c.noise, c.question, *_answered(tree, c.question)]
        for c, name in claims
    ]
    return markdown(header, rows, text=3)


def _last(tree: Tree, name: str | None) -> str:
    if name is None:
        return "–"
    cases = [Case("", model, tree.steps(model)[-1]) for model in tree.models]
    return "; ".join(number(_value(_quantity(tree, case, name), "value"), 2) for case in cases)


def _answered(tree: Tree, question: str) -> list[str]:
    """Tier, effect, p and minimal effect of the first stratum's sets."""
    rows = tree.activity_evidence
    rows = rows[(rows.panel == tree.ours) & (rows.question == question)]
    rows = rows[(rows.stratum == tree.strata[0]) & (rows.sign == "all") & (rows.tier == "seeds")]
    return answer_cells(rows)


def answer_cells(rows: pd.DataFrame, show: Callable[[float | None], str] = lambda x: number(x, 4)) -> list[str]:
    """Lay out the row of tier `seeds` of one question; dashes where it was not asked."""
    if not len(rows):
        return ["–"] * 4
    row = rows.iloc[0]
    reached = "none" if pd.isna(row.reached) else str(row.reached).replace("_", " ")
    shown: Sequence[str] = [show(_value(row, name)) for name in ("estimate", "minimal_effect")]
    return [reached, shown[0], number(_value(row, "p_adjusted"), 3), shown[1]]
