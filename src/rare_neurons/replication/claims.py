"""The replication's last table: which published claims survive on the results at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.replication.layout import NOISE, markdown, number, percent, significant
from rare_neurons.replication.regimes import regime, shares

NOT_JUDGED = "not judged here"
_HALF_NORMAL_GINI = 2**0.5 - 1
Read = Callable[[Case], str]


@dataclass(frozen=True)
class _Published:
    """A published claim, how its convention reads a checkpoint, and the claim of ours that answers it."""

    claim: str
    convention: str
    read: Read
    noise: str
    judged_as: str | None


def survives(tree: Tree) -> str:
    """One row per published claim: the convention's value in the runs and in the controls, and our verdict."""
    header = ["published claim", "its convention", "last step", "step 0", "control", NOISE, "our verdict"]
    cases = {
        "last": [Case("", m, tree.steps(m)[-1]) for m in tree.models],
        "start": [Case("", m, 0) for m in tree.models if 0 in tree.steps(m)],
        "control": [Case("", m, tree.steps(m)[-1]) for m in tree.controls],
    }
    rows = []
    for row in _published(tree):
        read = [_joined(row.read, chosen) for chosen in cases.values()]
        rows.append([row.claim, row.convention, *read, row.noise, _verdict(tree, row.judged_as)])
    return markdown(header, rows, text=len(header))


def _joined(read: Read, cases: Sequence[Case]) -> str:
    found = [read(case) for case in cases]
    return found[0] if len(set(found)) == 1 else "; ".join(found) or "–"


def _verdict(tree: Tree, quantity: str | None) -> str:
    claim = None if quantity is None else tree.claim(quantity)
    if claim is None:
        return NOT_JUDGED
    if claim.verdict == "not identifiable":
        return f"{claim.verdict}: {claim.reason}"
    return f"{claim.verdict}, p = {number(claim.adjusted_p, 3)}"


def _published(tree: Tree) -> list[_Published]:
    rare, common = tree.strata
    noise = tree.noise
    regimes = f"regimes of influence on {rare} tokens (all)"

    def fixed(column: str, digits: int, stratum: str = rare) -> Read:
        return lambda case: _cell(regime(tree, case, tree.ours, stratum, "seed_fixed_cuts"), column, digits)

    cuts = noise[0].fixed_cuts
    middle = [
        ("the middle of the curve is a straight line (R²)", "r_squared", 3),
        ("the exponent of that line tells of specialisation", "rank_exponent", 2),
    ]
    return [
        _Published(
            "three regimes in fixed shares (1.7 / ~10 / 87.4 %)",
            "cuts at ln r = 3.5, 5.5",
            lambda case: _shares(regime(tree, case, tree.ours, rare, "seed_fixed_cuts")),
            " / ".join(map(percent, shares(cuts.plateau_end, cuts.decay_start, tree.n_neurons))),
            regimes,
        ),
        *(
            _Published(
                claim,
                "least squares on 3.5 ≤ ln r ≤ 4.5",
                fixed(column, digits),
                number(np.median([getattr(r.fixed_cuts, column) for r in noise]), digits),
                None if column == "rank_exponent" else regimes,
            )
            for claim, column, digits in middle
        ),
        _Published(
            "the three-regime form fits",
            "Huber form, R²",
            lambda case: _cell(regime(tree, case, tree.ours, rare, "seed_huber"), "r_squared", 3),
            number(np.median([r.huber.r_squared for r in noise]), 3),
            regimes,
        ),
        _Published(
            f"a plateau on {rare} tokens, none on {common} ones",
            "fixed cuts, both strata",
            lambda case: " and ".join(
                _cell(regime(tree, case, tree.ours, s, "seed_fixed_cuts"), "plateau_end", 0) for s in tree.strata
            ),
            number(cuts.plateau_end, 0),
            None,
        ),
        *_about_neurons(tree, rare, common),
    ]


def _about_neurons(tree: Tree, rare: str, common: str) -> list[_Published]:
    def index(column: str, stratum: str, digits: int) -> Read:
        return lambda case: _cell(
            tree.one("differentiation", model=case.model, step=case.step, panel=tree.ours, stratum=stratum),
            column,
            digits,
        )

    def hill(matrix: str) -> Read:
        return lambda case: _cell(
            tree.one("groups", model=case.model, step=case.step, panel=tree.ours, stratum=rare, matrix=matrix),
            "hill_index",
            2,
        )

    def within(case: Case) -> str:
        rows = [
            tree.one("influence", model=case.model, step=case.step, panel=tree.ours, stratum=s) for s in (rare, common)
        ]
        return " against ".join("–" if r is None else significant(1e3 * r.rms_influence) for r in rows)

    groups = f"common directions of the top neurons on {rare} tokens"
    return [
        _Published(
            "neurons begin alike and differentiate",
            f"Gini index on {rare} tokens",
            index("gini", rare, 2),
            number(_HALF_NORMAL_GINI),
            f"change since step 0 of inequality of neurons on {rare} tokens",
        ),
        _Published(
            f"differentiation is about {rare} tokens",
            f"Gini index on {common} tokens, beside the row above",
            index("gini", common, 2),
            number(_HALF_NORMAL_GINI),
            f"inequality of neurons on {rare} beyond {common} tokens",
        ),
        _Published(
            f"some neurons serve {rare} tokens",
            f"rms influence on {rare} against {common} tokens (10⁻³ nats)",
            within,
            "–",
            f"within-stratum influence on {rare} beyond {common} tokens",
        ),
        *(
            _Published(
                f"weights of plateau neurons grow heavy-tailed ({matrix.split('_without')[0]})",
                "Hill index of the group",
                hill(matrix.split("_without")[0]),
                f"{number(tree.gaussian_hill[tree.n_group][1])} (Gaussian rows)",
                f"{groups} ({matrix})",
            )
            for matrix in ("W_in", "W_out_without_gradients")
        ),
        _Published(
            "plateau neurons act together, scattered over the layer, without routing by attention",
            "co-activation, modularity, attention",
            lambda case: "–",
            "–",
            None,
        ),
    ]


def _cell(row: pd.Series | None, column: str, digits: int) -> str:
    return "–" if row is None else number(row[column], digits)


def _shares(row: pd.Series | None) -> str:
    if row is None or row.status != "ok":
        return "–"
    return " / ".join(map(percent, shares(row.plateau_end, row.decay_start, int(row.n_neurons))))
