"""Tables of the replication about neurons: Hill exponents of sets, inequality, and what of it is noise."""

import pandas as pd

from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import markdown, number
from rare_neurons.replication.statistics import n_beyond_error, rank_correlation


def hill_by_size(tree: Tree) -> str:
    """Hill index of sets of independent Gaussian rows."""
    rows = [[str(size), *(number(v) for v in band)] for size, band in tree.gaussian_hill.items()]
    return markdown(["neurons in the set", "5 %", "median", "95 %"], rows)


def set_spectra(tree: Tree) -> str:
    """Hill index of the most influential neurons beside matched random sets of the same size."""
    header = [
        "run",
        "weights",
        "Hill index, step 0",
        "random sets",
        "last step",
        "random sets (5 – 95 %)",
        "below 5 %, all steps",
        "p of the top eigenvalue",
        "p beyond the placebo",
    ]
    rows = []
    for model in tree.runs:
        mine = tree.rows("set_spectra", panel=tree.ours, model=model, stratum=tree.strata[0])
        for matrix, steps in mine.groupby("matrix"):
            first, last = (steps[steps.step == step].iloc[0] for step in (steps.step.min(), steps.step.max()))
            null = f"{number(last.hill_null_median)} ({number(last.hill_null_low)} – {number(last.hill_null_high)})"
            below = f"{int((steps.hill_index < steps.hill_null_low).sum())} of {len(steps)}"
            start = [number(first.hill_index), number(first.hill_null_median)]
            p = [number(last.p_value, 3), number(last.placebo_excess_p, 3)]
            rows.append([tree.label(model), str(matrix), *start, number(last.hill_index), null, below, *p])
    return markdown(header, rows, text=2)


def inequality(tree: Tree) -> str:
    """Inequality of neurons at step 0, at its height and at the end, beside what noise alone gives."""
    header = [
        "run",
        "tokens",
        "Gini: step 0",
        "highest (step)",
        "last",
        "last, of noise alone",
        "kurtosis: highest (step)",
        "there without the top 3",
        "last",
        "last without the top 3",
        "effective neurons, last",
    ]
    rows = []
    for model in tree.runs:
        for stratum in tree.strata:
            table = tree.rows("inequality", panel=tree.ours, model=model, stratum=stratum).set_index("step")
            if not table.empty:
                rows.append([tree.label(model), stratum, *_inequality_of(table)])
    return markdown(header, rows, text=2)


def _inequality_of(table: pd.DataFrame) -> list[str]:
    """Cells of one run and stratum, from its rows by step."""
    start, last = table.loc[table.index.min()], table.loc[table.index.max()]
    gini, kurtosis = table.gini.idxmax(), table.excess_kurtosis.idxmax()
    low, high = number(last.effective_number_low, 0), number(last.effective_number_high, 0)
    known = not pd.isna(last.effective_number)
    return [
        number(start.gini),
        f"{number(table.gini[gini])} ({gini:,})",
        number(last.gini),
        number(last.gini_noise),
        f"{number(table.excess_kurtosis[kurtosis], 1)} ({kurtosis:,})",
        number(table.excess_kurtosis_without_top[kurtosis], 1),
        number(last.excess_kurtosis, 1),
        number(last.excess_kurtosis_without_top, 1),
        f"{number(last.effective_number, 0)} ({low} – {high})" if known else "–",
    ]


def noise_share(tree: Tree) -> str:
    """How far |influence| follows its own standard error at the last checkpoint, and how many neurons exceed it."""
    header = [
        "run",
        "rank correlation of the size of influence with its standard error",
        "neurons beyond 3 standard errors",
    ]
    rows = []
    for model in tree.runs:
        step = tree.steps(model)[-1]
        table = tree.neurons(panel=tree.ours, model=model, step=step, stratum=tree.strata[0])
        beyond = f"{n_beyond_error(table.influence, table.influence_se, 3)} of {len(table)}"
        follows = rank_correlation(table.influence.abs(), table.influence_se)
        rows.append([f"{tree.label(model)}, step {step:,}", number(follows), beyond])
    return markdown(header, rows)
