"""The replication's last table: which published claims survive on the results at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.replication.layout import NOISE, markdown, number, percent, significant
from rare_neurons.replication.noise import fixed_shares, typical
from rare_neurons.replication.statistics import HALF_NORMAL_GINI, shares

NOT_JUDGED = "not judged here"
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
    for row in (_about_cuts(tree), *_about_fits(tree), _about_plateaus(tree), *_about_neurons(tree)):
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


def _regimes_claim(tree: Tree) -> str:
    return f"regimes of influence on {tree.strata[0]} tokens (all)"


def _reading(tree: Tree, convention: str, column: str, digits: int) -> Read:
    """Return what a convention reads on the stratum that claims are about."""
    where = {"panel": tree.ours, "stratum": tree.strata[0], "convention": convention}
    return lambda case: _cell(tree.regime(case, **where), column, digits)


def _about_cuts(tree: Tree) -> _Published:
    where = {"panel": tree.ours, "stratum": tree.strata[0], "convention": "seed_fixed_cuts"}
    return _Published(
        "three regimes in fixed shares (1.7 / ~10 / 87.4 %)",
        "cuts at ln r = 3.5, 5.5",
        lambda case: _shares(tree.regime(case, **where)),
        " / ".join(map(percent, fixed_shares(tree.n_neurons))),
        _regimes_claim(tree),
    )


def _about_fits(tree: Tree) -> list[_Published]:
    window, huber = "least squares on 3.5 ≤ ln r ≤ 4.5", "Huber form, R²"
    middle, tells = (
        "the middle of the curve is a straight line (R²)",
        "the exponent of that line tells of specialisation",
    )
    wanted = [
        (middle, window, "fixed_cuts", "r_squared", 3, _regimes_claim(tree)),
        (tells, window, "fixed_cuts", "rank_exponent", 2, None),
        ("the three-regime form fits", huber, "huber", "r_squared", 3, _regimes_claim(tree)),
    ]
    return [
        _Published(
            claim,
            convention,
            _reading(tree, f"seed_{kind}", column, digits),
            number(typical(tree.noise, kind, column), digits),
            judged_as,
        )
        for claim, convention, kind, column, digits, judged_as in wanted
    ]


def _about_plateaus(tree: Tree) -> _Published:
    rare, common = tree.strata

    def ends(case: Case) -> str:
        where = {"panel": tree.ours, "convention": "seed_fixed_cuts"}
        return " and ".join(_cell(tree.regime(case, **where, stratum=s), "plateau_end", 0) for s in tree.strata)

    claim = f"a plateau on {rare} tokens, none on {common} ones"
    return _Published(claim, "fixed cuts, both strata", ends, number(tree.noise[0].fixed_cuts.plateau_end, 0), None)


def _about_neurons(tree: Tree) -> list[_Published]:
    together = _Published(
        "plateau neurons act together, scattered over the layer, without routing by attention",
        "co-activation, modularity, attention",
        lambda case: "–",
        "–",
        None,
    )
    weights = [_about_weights(tree, matrix) for matrix in ("W_in", "W_out_without_gradients")]
    return [*_about_inequality(tree), _about_service(tree), *weights, together]


def _about_inequality(tree: Tree) -> list[_Published]:
    rare, common = tree.strata

    def gini(stratum: str) -> Read:
        where = {"panel": tree.ours, "stratum": stratum}
        return lambda case: _cell(tree.one("inequality", model=case.model, step=case.step, **where), "gini", 2)

    return [
        _Published(
            "neurons begin alike and differentiate",
            f"Gini index on {rare} tokens",
            gini(rare),
            number(HALF_NORMAL_GINI),
            f"change since step 0 of inequality of neurons on {rare} tokens",
        ),
        _Published(
            f"inequality is about {rare} tokens",
            f"Gini index on {common} tokens, beside the row above",
            gini(common),
            number(HALF_NORMAL_GINI),
            f"inequality of neurons on {rare} beyond {common} tokens",
        ),
    ]


def _about_service(tree: Tree) -> _Published:
    rare, common = tree.strata

    def sizes(case: Case) -> str:
        where = {"model": case.model, "step": case.step, "panel": tree.ours}
        rows = [tree.one("influence", **where, stratum=s) for s in tree.strata]
        return " against ".join("–" if r is None else significant(1e3 * r.rms_influence) for r in rows)

    return _Published(
        f"some neurons serve {rare} tokens",
        f"rms influence on {rare} against {common} tokens (10⁻³ nats)",
        sizes,
        "–",
        f"within-stratum influence on {rare} beyond {common} tokens",
    )


def _about_weights(tree: Tree, judged_on: str) -> _Published:
    """About weights of a matrix, where ours is judged on the same or on what its gradients leave of it."""
    rare, matrix = tree.strata[0], judged_on.split("_without")[0]
    where = {"panel": tree.ours, "stratum": rare, "matrix": matrix}
    return _Published(
        f"weights of plateau neurons grow heavy-tailed ({matrix})",
        "Hill index of the set",
        lambda case: _cell(tree.one("set_spectra", model=case.model, step=case.step, **where), "hill_index", 2),
        f"{number(tree.gaussian_hill[tree.n_set][1])} (Gaussian rows)",
        f"common directions of the top neurons on {rare} tokens ({judged_on})",
    )


def _cell(row: pd.Series | None, column: str, digits: int) -> str:
    return "–" if row is None else number(row[column], digits)


def _shares(row: pd.Series | None) -> str:
    if row is None or row.status != "ok":
        return "–"
    parts = shares(plateau_end=row.plateau_end, decay_start=row.decay_start, n=int(row.n_neurons))
    return " / ".join(map(percent, parts))
