"""Tables of the replication about regimes: fixed cuts, the fixed window, the Huber form, numbers of segments."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rare_neurons.replication.inputs import ALL_SIGNS, Tree
from rare_neurons.replication.layout import NOISE, band, markdown, number, percent
from rare_neurons.replication.noise import fixed_shares, huber_shares, segments_by_bic, window_exponent_se
from rare_neurons.replication.statistics import alternating, rms_difference, rms_step, shares

PUBLISHED_N = 1937
"""Neurons at which the fixed cuts give the published fractions."""
_OTHER_N = (2048, 3072, 4096)  # final layers of pythia-70m, 160m and 410m
_STRAIGHT = 0.95
"""R² above which a window is counted as a straight line."""
_LEVEL = 0.05


def fractions(tree: Tree) -> str:
    """Shares of neurons that the fixed cuts call plateau, power law and decay: of noise, and of anything else."""
    rows = [[f"{n:,}", *map(percent, fixed_shares(n))] for n in sorted({tree.n_neurons, PUBLISHED_N, *_OTHER_N})]
    return markdown(["neurons", "plateau", "power law", "decay"], rows)


def window(tree: Tree) -> str:
    """Exponent and R² of the fixed window, beside the calibrated test."""
    header, places = ["values"], tree.read_at
    for panel, stratum in places:
        header += [f"exponent, {stratum} ({panel})", "R²", "p of the test"]
    noise = [r.fixed_cuts for r in tree.noise]
    cells = [band([f.rank_exponent for f in noise]), band([f.r_squared for f in noise], 3), "–"]
    rows = [[NOISE, *cells * len(places)]]
    for case in tree.cases():
        row = [case.label]
        for panel, stratum in places:
            where = {"panel": panel, "stratum": stratum}
            fit, test = (tree.regime(case, **where, convention=kind) for kind in ("seed_fixed_cuts", "log_spacing"))
            row += [_of(fit, "rank_exponent"), _of(fit, "r_squared", 3), _of(test, "null_p")]
        rows.append(row)
    return markdown(header, rows)


def _of(row: pd.Series | None, column: str, digits: int = 2) -> str:
    return "–" if row is None else number(row[column], digits)


def scatter(tree: Tree) -> str:
    """How far evaluation noise moves the window's exponent, beside how far training does (root mean squares)."""
    header = [
        "panel",
        "targets",
        "standard error",
        "two draws, same step",
        "neighbouring steps, same panel",
        "neighbouring steps, fresh draw",
    ]
    rows = [_scatter_row(tree, panel, stratum) for panel, stratum in tree.read_at]
    return markdown(header, rows)


def _scatter_row(tree: Tree, panel: str, stratum: str) -> list[str]:
    fixed = exponents(tree, panel=panel, stratum=stratum)
    run = fixed.index.get_level_values("model")
    errors = [_standard_error(tree, panel, stratum, *key) for key in fixed.index]
    model, step = fixed.index[0]
    targets = tree.neurons(panel=panel, model=model, step=step, stratum=stratum).n_targets.iloc[0]
    row = [f"{stratum} ({panel})", f"{targets:,}", number(np.median(errors)), "–", number(rms_step(fixed, run)), "–"]
    if panel in tree.draws and len(tree.draws) > 1:
        fresh = exponents(tree, panel=tree.draws[1], stratum=stratum).reindex(fixed.index)
        row[3] = number(rms_difference(fixed, fresh))
        row[5] = number(rms_step(alternating(fixed, fresh, run), run))
    return row


def exponents(tree: Tree, *, panel: str, stratum: str) -> pd.Series:
    """Exponent of the fixed window, by model and step of the subject's runs."""
    where = {"panel": panel, "stratum": stratum, "sign": ALL_SIGNS, "convention": "seed_fixed_cuts"}
    rows = tree.rows("regimes", **where)
    rows = rows[rows.model.isin(tree.models)]
    return rows.set_index(["model", "step"]).rank_exponent.sort_index()


def _standard_error(tree: Tree, panel: str, stratum: str, model: str, step: int) -> float:
    return window_exponent_se(tree.cells(panel=panel, model=model, step=step, stratum=stratum))


def huber(tree: Tree) -> str:
    """Regimes of the Huber form."""
    header = ["values", "plateau", "power law", "decay", "exponent", "R²"]
    noise = [r.huber for r in tree.noise]
    middle = map(percent, huber_shares(tree.noise, tree.n_neurons))
    rows = [[NOISE, *middle, band([f.rank_exponent for f in noise]), band([f.r_squared for f in noise], 3)]]
    panel, stratum = tree.read_at[0]
    for case in tree.cases():
        fit = tree.regime(case, panel=panel, stratum=stratum, convention="seed_huber")
        if fit is None or fit.status != "ok":
            rows.append([case.label, *["–"] * 5])
            continue
        parts = shares(plateau_end=fit.plateau_end, decay_start=fit.decay_start, n=int(fit.n_neurons))
        rows.append([case.label, *map(percent, parts), _of(fit, "rank_exponent"), _of(fit, "r_squared", 3)])
    return markdown(header, rows)


def segments(tree: Tree) -> str:
    """How many straight pieces BIC chooses, and how often the calibrated test rejects."""
    header = ["curves", "number", "BIC: one", "two", "three", "R² > 0.95 in the window", "tested", "p ≤ 0.05"]
    chosen = [r.n_segments for r in tree.noise]
    window_r2 = [r.fixed_cuts.r_squared for r in tree.noise]
    rows = [[NOISE, *_counted(chosen, window_r2), "–", "–"]]
    table = tree.rows("regimes", panel=tree.ours, sign=ALL_SIGNS)
    own = table.model.isin(tree.models)
    kinds = {
        "runs, step 0": own & (table.step == 0),
        "runs, later": own & (table.step > 0),
        "controls, later": ~own & (table.step > 0),
    }
    rows += [[f"{label}, all strata", *_curves(table[kept])] for label, kept in kinds.items() if kept.any()]
    return markdown(header, rows)


def _curves(table: pd.DataFrame) -> list[str]:
    wide = table.pivot(index=["model", "step", "stratum"], columns="convention", values="r_squared")
    n = int(table.n_neurons.max())
    pieces = wide[["one_segment", "two_segment", "three_segment"]].dropna()
    chosen = [segments_by_bic(row, n) for row in pieces.to_numpy()]
    p = table.null_p[table.convention == "log_spacing"].dropna()
    return [*_counted(chosen, wide.seed_fixed_cuts), str(len(p)), str(int((p <= _LEVEL).sum()))]


def _counted(chosen: Sequence[int], window_r2: Sequence[float]) -> list[str]:
    counts = [str(sum(c == k for c in chosen)) for k in (1, 2, 3)]
    return [str(len(chosen)), *counts, percent(float(np.mean(np.asarray(window_r2) > _STRAIGHT)))]
