"""What the summary says of layers, and of where loss changes came from."""

from collections.abc import Sequence
from dataclasses import fields

from rare_neurons.numerics.layers.evidence import LayerEvidenceRow
from rare_neurons.numerics.wording.layers import describe_account, describe_layers
from rare_neurons.results import load_timeline
from rare_neurons.tables import find_tables, read_table


def layer_sentences(results: str, subject: str) -> list[str]:
    """Sentences of `timelines/layer_evidence`, panel by panel; none where layers were not asked for."""
    paths = find_tables(results, "timelines/layer_evidence")
    path = paths.get(("timelines/layer_evidence", subject))
    if path is None:
        return []
    rows = read_table(path).to_pylist()
    names = [field.name for field in fields(LayerEvidenceRow)]
    sentences = []
    for panel in dict.fromkeys(row["panel"] for row in rows):
        mine = [LayerEvidenceRow(**{name: row[name] for name in names}) for row in rows if row["panel"] == panel]
        sentences += describe_layers(mine)
    return sentences


def account_sentences(results: str, models: Sequence[str]) -> list[str]:
    """Sentences about the last interval that all models have, one for each stratum; none where there is no account."""
    known = {str(model) for _, model in find_tables(results, "timelines/allocation")}
    if not set(models) <= known:
        return []
    units = load_timeline(results, "allocation", models=models)
    changes = load_timeline(results, "allocation_changes", models=models, part="within")
    sentences = []
    for (_, stratum), mine in units.groupby(["panel", "stratum"], sort=False):
        shared = mine.groupby(["step_before", "step"]).model.nunique()
        shared = shared[shared == len(models)]
        if not len(shared):
            continue
        since, step = max(shared.index, key=lambda interval: interval[1])
        here = mine[(mine.step_before == since) & (mine.step == step)]
        change = changes[(changes.stratum == stratum) & (changes.step_before == since) & (changes.step == step)]
        sentences.append(
            describe_account(
                (here.groupby(_name(here)).allocation_within.sum() / len(models)).to_dict(),
                stratum=stratum,
                change=float(change.loss_change.mean()),
                since=int(since),
                step=int(step),
                n_runs=len(models),
            )
        )
    return sentences


def _name(units: object) -> list[str]:
    """Name of each row's part: neurons and heads by layer."""
    return [
        f"{kind}s of layer {layer:.0f}" if kind in ("neuron", "head") else kind
        for kind, layer in zip(units.kind, units.layer, strict=True)
    ]
