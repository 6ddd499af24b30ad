"""The replication's last table: which published claims survive on the results at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.replication.layout import NOISE, markdown, number, percent, significant
from rare_neurons.replication.noise import fixed_shares, typical
from rare_neurons.replication.statistics import HALF_NORMAL_GINI, shares

NOT_JUDGED = "not judged here"
LEVEL = 0.05
"""Level at which tests of single checkpoints are counted."""
Read = Callable[[Case], str]


@dataclass(frozen=True)
class _Published:
    """A published claim, how its convention reads a checkpoint, and what our tests say of it."""

    claim: str
    convention: str
    read: Read
    noise: str
    verdict: str = NOT_JUDGED


def survives(tree: Tree) -> str:
    """One row per published claim: the convention's value in the runs and in the controls, and what our tests say."""
    header = ["published claim", "its convention", "last step", "step 0", "controls", NOISE, "our tests"]
    cases = {
        "last": [Case("", m, tree.steps(m)[-1]) for m in tree.models],
        "start": [Case("", m, 0) for m in tree.models if 0 in tree.steps(m)],
        "control": [Case("", m, tree.steps(m)[-1]) for m in tree.controls],
    }
    rows = []
    for row in (_about_cuts(tree), *_about_fits(tree), _about_plateaus(tree), *_about_neurons(tree)):
        read = [_joined(row.read, chosen) for chosen in cases.values()]
        rows.append([row.claim, row.convention, *read, row.noise, row.verdict])
    return markdown(header, rows, text=len(header))


def _joined(read: Read, cases: Sequence[Case]) -> str:
    found = [read(case) for case in cases]
    return found[0] if len(set(found)) == 1 else "; ".join(found) or "–"


def _of_laws(tree: Tree) -> str:
    """In how many runs the calibrated test rejects every smooth law at the last step."""
    where = {"panel": tree.ours, "stratum": tree.strata[0], "convention": "log_spacing"}
    found = [tree.regime(Case("", m, tree.steps(m)[-1]), **where) for m in tree.models]
    p = [row.null_p for row in found if row is not None and not pd.isna(row.null_p)]
    return f"smooth law rejected in {sum(v <= LEVEL for v in p)} of {len(p)} runs" if p else NOT_JUDGED


def _of_influence(tree: Tree) -> str:
    found = [f"{answer.question}: {answer}" for answer in tree.answers(tree.ours) if answer.table == "moments"]
    return "; ".join(found) or NOT_JUDGED


def _of_sets(tree: Tree, matrix: str) -> str:
    """In how many runs and controls the set exceeds random sets and the placebo at the last step."""
    counted = []
    for side, models in (("runs", tree.models), ("controls", tree.controls)):
        where = {"panel": tree.ours, "stratum": tree.strata[0], "matrix": matrix}
        found = [tree.one("set_spectra", model=m, step=tree.steps(m)[-1], **where) for m in models]
        p = [row.claim_p for row in found if row is not None and not pd.isna(row.claim_p)]
        counted.append(f"{sum(v <= LEVEL for v in p)} of {len(p)} {side}")
    return f"beyond random sets and placebo in {' and '.join(counted)} that it could be asked of ({matrix})"


def _of_organisation(tree: Tree) -> str:
    """Tiers of the questions about sets of the stratum asked about."""
    if not tree.has_activity:
        return NOT_JUDGED
    rows = tree.activity_evidence
    rows = rows[(rows.panel == tree.ours) & (rows.stratum == tree.strata[0]) & (rows.sign == "all")]
    reached = rows.groupby("question", sort=False).reached.first()
    found = [f"{name}: {'none' if pd.isna(tier) else tier.replace('_', ' ')}" for name, tier in reached.items()]
    return "; ".join(found) or NOT_JUDGED


def _reading(tree: Tree, convention: str, column: str, digits: int) -> Read:
    """Return what a convention reads on the stratum asked about."""
    where = {"panel": tree.ours, "stratum": tree.strata[0], "convention": convention}
    return lambda case: _cell(tree.regime(case, **where), column, digits)


def _about_cuts(tree: Tree) -> _Published:
    where = {"panel": tree.ours, "stratum": tree.strata[0], "convention": "seed_fixed_cuts"}
    return _Published(
        "three regimes in fixed shares (1.7 / ~10 / 87.4 %)",
        "cuts at ln r = 3.5, 5.5",
        lambda case: _shares(tree.regime(case, **where)),
        " / ".join(map(percent, fixed_shares(tree.n_neurons))),
        _of_laws(tree),
    )


def _about_fits(tree: Tree) -> list[_Published]:
    window, huber = "least squares on 3.5 ≤ ln r ≤ 4.5", "Huber form, R²"
    middle, tells = (
        "the middle of the curve is a straight line (R²)",
        "the exponent of that line tells of specialisation",
    )
    wanted = [
        (middle, window, "fixed_cuts", "r_squared", 3, _of_laws(tree)),
        (tells, window, "fixed_cuts", "rank_exponent", 2, NOT_JUDGED),
        ("the three-regime form fits", huber, "huber", "r_squared", 3, _of_laws(tree)),
    ]
    return [
        _Published(
            claim,
            convention,
            _reading(tree, f"seed_{kind}", column, digits),
            number(typical(tree.noise, kind, column), digits),
            verdict,
        )
        for claim, convention, kind, column, digits, verdict in wanted
    ]


def _about_plateaus(tree: Tree) -> _Published:
    rare, common = tree.strata

    def ends(case: Case) -> str:
        where = {"panel": tree.ours, "convention": "seed_fixed_cuts"}
        return " and ".join(_cell(tree.regime(case, **where, stratum=s), "plateau_end", 0) for s in tree.strata)

    claim = f"a plateau on {rare} tokens, none on {common} ones"
    noise = " and ".join([number(tree.noise[0].fixed_cuts.plateau_end, 0)] * len(tree.strata))
    return _Published(claim, "fixed cuts, both strata", ends, noise)


def _about_neurons(tree: Tree) -> list[_Published]:
    together = _Published(
        "plateau neurons act together, scattered over the layer, without routing by attention",
        "co-activation, modularity, attention",
        lambda case: "–",
        "–",
        _of_organisation(tree),
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
        ),
        _Published(
            f"inequality is about {rare} tokens",
            f"Gini index on {common} tokens, beside the row above",
            gini(common),
            number(HALF_NORMAL_GINI),
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
        _of_influence(tree),
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
        _of_sets(tree, judged_on),
    )


def _cell(row: pd.Series | None, column: str, digits: int) -> str:
    return "–" if row is None else number(row[column], digits)


def _shares(row: pd.Series | None) -> str:
    if row is None or row.status != "ok":
        return "–"
    parts = shares(plateau_end=row.plateau_end, decay_start=row.decay_start, n=int(row.n_neurons))
    return " / ".join(map(percent, parts))
