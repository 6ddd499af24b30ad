"""Tables of the replication about whose frequency counts: that of the token read, or of the token predicted."""

import numpy as np

from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.replication.answers import Answer, worded
from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import markdown, number, percent, significant
from rare_neurons.replication.statistics import Agreement, measure_agreement, shares_by_class


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
    return markdown(["token read", *(f"{name} predicted" for name in names), "in no stratum"], rows)


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
        rows.append([f"{tree.label(model)}, step {step:,}", *map(number, ranks), *top])
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
                    rows.append(
                        [f"{tree.label(model)}, step {step:,}", f"{stratum} token {role}", number(row.loss), *rms]
                    )
    return markdown(header, rows, text=2)


def role_evidence(tree: Tree) -> str:
    """Answers to the questions about the rare stratum, under both roles."""
    header = [
        "question",
        "token",
        "runs",
        "controls",
        "change over runs",
        "interval",
        "p: seeds",
        "p: beyond control",
        "p: specific",
        "highest tier",
        "why no further",
    ]
    rows = []
    theirs = {answer.question: answer for answer in tree.answers(tree.by_input)}
    for answer in tree.answers(tree.ours):
        for role, one in (("predicted", answer), ("read", theirs.get(answer.question))):
            if one is not None:
                rows.append([one.question, role, *_answered(one)])
    return markdown(header, rows, text=2)


def _answered(answer: Answer) -> list[str]:
    found = [f"{held} of {asked}" for held, asked in (answer.n_runs, answer.n_controls)]
    p = [number(answer.p_values.get(tier), 3) for tier in ("seeds", "beyond_control", "specific")]
    return [*found, *_change(answer), *p, worded(answer.tier), answer.reason or "–"]


def _change(answer: Answer) -> list[str]:
    """Estimate and interval over runs; of a change of logarithms the factor."""
    row = answer.seeds
    if row is None or row[["estimate", "low", "high"]].isna().any():
        return ["–", "–"]
    values, sign = row[["estimate", "low", "high"]].astype(float), ""
    if row.scale == "log":
        values, sign = np.exp(values), "×"
    estimate, low, high = (significant(v) for v in values)
    return [f"{sign}{estimate}", f"{sign}{low} – {sign}{high}"]
