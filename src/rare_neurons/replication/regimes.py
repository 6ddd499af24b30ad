"""Tables of the replication about regimes: fixed cuts, the fixed window, the Huber form, numbers of segments."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rare_neurons.numerics.regimes.seed_conventions import fit_fixed_cuts
from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.replication.layout import NOISE, band, markdown, number, percent
from rare_neurons.replication.noise import segments_by_bic, window_exponent_se

PUBLISHED_N = 1937
"""Neurons at which the fixed cuts give the published fractions."""
_OTHER_N = (2048, 3072, 4096)  # final layers of pythia-70m, 160m and 410m
_RESAMPLES = 200
_SEED = 0
_ALL = "all"


def fractions(tree: Tree) -> str:
    """Shares of neurons that the fixed cuts call plateau, power law and decay: of noise, and of anything else."""
    rng, rows = np.random.default_rng(_SEED), []
    for n in sorted({tree.n_neurons, PUBLISHED_N, *_OTHER_N}):
        fit = fit_fixed_cuts(np.abs(rng.standard_normal(n)))
        rows.append([f"{n:,}", *map(percent, shares(fit.plateau_end, fit.decay_start, n))])
    return markdown(["neurons", "plateau", "power law", "decay"], rows)


def shares(plateau_end: float, decay_start: float, n: int) -> tuple[float, float, float]:
    end, start = min(plateau_end, n), min(decay_start, n + 1)
    return end / n, (start - 1 - end) / n, (n + 1 - start) / n


def regime(tree: Tree, case: Case, panel: str, stratum: str, convention: str) -> pd.Series | None:
    """Reading of one checkpoint under one convention, all signs together."""
    where = {"model": case.model, "step": case.step, "panel": panel, "stratum": stratum}
    return tree.one("regimes", **where, sign=_ALL, convention=convention)


def window(tree: Tree) -> str:
    """The fixed window's exponent and R², beside the calibrated test."""
    header, places = ["values"], tree.read_at
    for panel, stratum in places:
        header += [f"exponent, {stratum} ({panel})", "R²", "p of the test"]
    noise = [r.fixed_cuts for r in tree.noise]
    cells = [band([f.rank_exponent for f in noise]), band([f.r_squared for f in noise], 3), "–"]
    rows = [[NOISE, *cells * len(places)]]
    for case in tree.cases():
        row = [case.label]
        for place in places:
            fit, test = (regime(tree, case, *place, kind) for kind in ("seed_fixed_cuts", "log_spacing"))
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
    rows = []
    for panel, stratum in tree.read_at:
        fixed = exponents(tree, panel, stratum)
        fresh = exponents(tree, tree.draws[1], stratum) if panel in tree.draws and len(tree.draws) > 1 else None
        errors = [standard_error(tree, panel, stratum, *key) for key in fixed.index]
        targets = tree.neurons(panel, *fixed.index[0], stratum).n_targets.iloc[0]
        row = [f"{stratum} ({panel})", f"{targets:,}", number(np.median(errors)), "–", number(_steps_apart(fixed)), "–"]
        if fresh is not None:
            row[3] = number(np.sqrt(np.mean((fixed - fresh) ** 2)))
            row[5] = number(_steps_apart(_alternating(fixed, fresh)))
        rows.append(row)
    return markdown(header, rows)


def exponents(tree: Tree, panel: str, stratum: str) -> pd.Series:
    """Exponent of the fixed window, by model and step of the subject's runs."""
    where = {"panel": panel, "stratum": stratum, "sign": _ALL, "convention": "seed_fixed_cuts"}
    rows = tree.rows("regimes", **where)
    rows = rows[rows.model.isin(tree.models)]
    return rows.set_index(["model", "step"]).rank_exponent.sort_index()


def standard_error(tree: Tree, panel: str, stratum: str, model: str, step: int) -> float:
    shard = tree.shard(panel, model, step)
    i = shard.strata.index(stratum)
    return window_exponent_se(
        shard.fold_sum[i], shard.fold_n[i], shard.half_of_fold, n_resamples=_RESAMPLES, seed=_SEED
    )


def _steps_apart(values: pd.Series) -> float:
    """Root mean square difference of neighbouring checkpoints of the same run."""
    return float(np.sqrt(np.nanmean(values.groupby("model").diff() ** 2)))


def _alternating(one: pd.Series, other: pd.Series) -> pd.Series:
    odd = one.groupby("model").cumcount() % 2 == 1
    return one.where(~odd, other)


def huber(tree: Tree) -> str:
    """Regimes of the Huber form."""
    header = ["values", "plateau", "power law", "decay", "exponent", "R²"]
    noise, n = [r.huber for r in tree.noise], tree.n_neurons
    parts = zip(*(shares(f.plateau_end, f.decay_start, n) for f in noise), strict=True)
    middle = [percent(np.median(part)) for part in parts]
    rows = [[NOISE, *middle, band([f.rank_exponent for f in noise]), band([f.r_squared for f in noise], 3)]]
    panel, stratum = tree.read_at[0]
    for case in tree.cases():
        fit = regime(tree, case, panel, stratum, "seed_huber")
        if fit is None or fit.status != "ok":
            rows.append([case.label, *["–"] * 5])
            continue
        parts = shares(fit.plateau_end, fit.decay_start, int(fit.n_neurons))
        rows.append([case.label, *map(percent, parts), _of(fit, "rank_exponent"), _of(fit, "r_squared", 3)])
    return markdown(header, rows)


def segments(tree: Tree) -> str:
    """How many straight pieces BIC chooses, and how often the calibrated test rejects."""
    header = ["curves", "number", "BIC: one", "two", "three", "R² > 0.95 in the window", "tested", "p ≤ 0.05"]
    chosen = [r.n_segments for r in tree.noise]
    window_r2 = [r.fixed_cuts.r_squared for r in tree.noise]
    rows = [[NOISE, *_counted(chosen, window_r2), "–", "–"]]
    table = tree.rows("regimes", panel=tree.ours, sign=_ALL)
    own = table.model.isin(tree.models)
    kinds = {
        "runs, step 0": own & (table.step == 0),
        "runs, later": own & (table.step > 0),
        "control, later": ~own & (table.step > 0),
    }
    rows += [[f"{label}, all strata", *_curves(table[kept])] for label, kept in kinds.items() if kept.any()]
    return markdown(header, rows)


def _curves(table: pd.DataFrame) -> list[str]:
    wide = table.pivot(index=["model", "step", "stratum"], columns="convention", values="r_squared")
    n = int(table.n_neurons.max())
    pieces = wide[["one_segment", "two_segment", "three_segment"]].dropna()
    chosen = [segments_by_bic(row, n) for row in pieces.to_numpy()]
    p = table.null_p[table.convention == "log_spacing"].dropna()
    return [*_counted(chosen, wide.seed_fixed_cuts), str(len(p)), str(int((p <= 0.05).sum()))]


def _counted(chosen: Sequence[int], window_r2: Sequence[float]) -> list[str]:
    counts = [str(sum(c == k for c in chosen)) for k in (1, 2, 3)]
    return [str(len(chosen)), *counts, percent(float(np.mean(np.asarray(window_r2) > 0.95)))]
