"""Tables of the replication about neurons: Hill exponents of groups, inequality, and whose frequency counts."""

from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import markdown, number, percent, significant
from rare_neurons.replication.statistics import (
    Agreement,
    measure_agreement,
    n_beyond_error,
    rank_correlation,
    shares_by_class,
)


def hill_by_size(tree: Tree) -> str:
    """Hill index of groups of independent Gaussian rows."""
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
    ]
    rows = []
    for model in tree.runs:
        mine = tree.rows("set_spectra", panel=tree.ours, model=model, stratum=tree.strata[0])
        for matrix, steps in mine.groupby("matrix"):
            first, last = (steps[steps.step == step].iloc[0] for step in (steps.step.min(), steps.step.max()))
            null = f"{number(last.hill_null_median)} ({number(last.hill_null_low)} – {number(last.hill_null_high)})"
            below = f"{int((steps.hill_index < steps.hill_null_low).sum())} of {len(steps)}"
            start = [number(first.hill_index), number(first.hill_null_median)]
            rows.append([model, str(matrix), *start, number(last.hill_index), null, below, number(last.p_value, 3)])
    return markdown(header, rows, text=2)


def inequality(tree: Tree) -> str:
    """Inequality of neurons at step 0, at their height and at the end."""
    header = [
        "run",
        "tokens",
        "Gini: step 0",
        "highest (step)",
        "last",
        "kurtosis: step 0",
        "highest (step)",
        "there without the top 3",
        "last",
        "last without the top 3",
    ]
    rows = []
    for model in tree.runs:
        for stratum in tree.strata:
            table = tree.rows("inequality", panel=tree.ours, model=model, stratum=stratum).set_index("step")
            if table.empty:
                continue
            start, last = table.loc[table.index.min()], table.loc[table.index.max()]
            gini, kurtosis = table.gini.idxmax(), table.excess_kurtosis.idxmax()
            row = [model, stratum, number(start.gini), f"{number(table.gini[gini])} ({gini:,})", number(last.gini)]
            row += [number(start.excess_kurtosis, 1), f"{number(table.excess_kurtosis[kurtosis], 1)} ({kurtosis:,})"]
            row.append(number(table.excess_kurtosis_without_top[kurtosis], 1))
            row += [number(last.excess_kurtosis, 1), number(last.excess_kurtosis_without_top, 1)]
            rows.append(row)
    return markdown(header, rows, text=2)


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
        rows.append([f"{model}, step {step:,}", number(follows), beyond])
    return markdown(header, rows)


def role_positions(tree: Tree) -> str:
    """Where the token read is of a stratum, how often the token predicted is of each."""
    panel = tree.panels[tree.by_input]
    names = list(panel["strata"])
    of_type = assign_strata(tree.training_counts(tree.by_input), panel["strata"])
    targets = tree.targets(tree.by_input)
    predicted, rows = of_type[targets.target_id], []
    for name in names:
        parts = shares_by_class(predicted[targets.stratum == name], n_classes=len(names))
        rows.append([name, *map(percent, parts)])
    return markdown(["token read", *(f"{name} predicted" for name in names), "never seen"], rows)


def roles(tree: Tree) -> str:
    """Agreement of the neurons' influence on rare tokens, by the token predicted and by the token read."""
    header = [
        "run",
        "halves, predicted",
        "halves, read",
        "predicted with read",
        "without noise",
        "shared of the top 5 %",
        "by chance",
    ]
    rows = []
    for model in tree.runs:
        step = tree.steps(model)[-1]
        found = _agreement_of_roles(tree, model, step)
        ranks = (*found.reliability, found.crossed, found.without_noise)
        top = [f"{found.n_shared} of {found.n_top}", number(found.n_by_chance, 1)]
        rows.append([f"{model}, step {step:,}", *map(number, ranks), *top])
    return markdown(header, rows)


def _agreement_of_roles(tree: Tree, model: str, step: int) -> Agreement:
    where = {"model": model, "step": step, "stratum": tree.strata[0]}
    predicted, read = (tree.neurons(panel=panel, **where).set_index("neuron") for panel in (tree.ours, tree.by_input))
    values = ["influence", "influence_a", "influence_b"]
    return measure_agreement(predicted[values].to_numpy().T, read.loc[predicted.index, values].to_numpy().T)


def role_effect(tree: Tree) -> str:
    """Loss and influence at the last checkpoint, by role and stratum."""
    header = ["run", "stratum", "loss", "rms influence (10⁻³ nats)", "of it within the stratum (10⁻³ nats)"]
    rows = []
    for model in tree.runs:
        step = tree.steps(model)[-1]
        for panel, role in ((tree.ours, "predicted"), (tree.by_input, "read")):
            for stratum in tree.strata:
                row = tree.one("influence", model=model, step=step, panel=panel, stratum=stratum)
                if row is not None:
                    rms = [significant(1e3 * v) for v in (row.rms_influence, row.rms_influence_within)]
                    rows.append([f"{model}, step {step:,}", f"{stratum} token {role}", number(row.loss), *rms])
    return markdown(header, rows, text=2)


def role_claims(tree: Tree) -> str:
    """Claims about the rare stratum beyond the other, under both roles."""
    header = ["claim", "token", "estimate", "interval", "step 0", "control", "adjusted p", "verdict"]
    rows = []
    contrasts = tree.claims.quantity[tree.claims.quantity.str.contains(" beyond ", regex=False)]
    for quantity in dict.fromkeys(contrasts):
        for panel, role in ((tree.ours, "predicted"), (tree.by_input, "read")):
            claim = tree.claim(quantity, panel)
            if claim is None:
                continue
            values = [claim.estimate, claim.low, claim.high, claim.control_step0, claim.control_shuffled]
            estimate, low, high, start, control = (significant(v) for v in values)
            cells = [estimate, f"{low} – {high}", start, control, number(claim.adjusted_p, 3), claim.verdict]
            rows.append([quantity, role, *cells])
    return markdown(header, rows, text=2)
