"""Stage `layer_evidence`: what may be said of layers, tier by tier."""

from collections.abc import Mapping, Sequence

import numpy as np

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.numerics.layers.evidence import judge_layers
from rare_neurons.numerics.layers.ratios import LayerMoments
from rare_neurons.stages.evidence import good_shards
from rare_neurons.tables import digest_of_files, from_rows, provenance, read_table, write_rows

TABLE = "timelines/layer_evidence"


def write_layer_evidence(
    output: str,
    *,
    shards: Sequence[str],
    integrity: Sequence[str],
    subject: str,
    models: Sequence[str],
    controls: Sequence[str],
    rule: Mapping[str, object],
) -> None:
    """Answer both questions about layers, for every panel and stratum.

    Parameters
    ----------
    output : str
    shards : sequence of str
        ``layer_audit/{panel}/{model}/step{step}.parquet`` of all panels, models, controls and declared steps.
    integrity : sequence of str
        ``{model}.parquet`` of all models and controls; quarantined checkpoints enter nothing.
    subject : str
    models, controls : sequence of str
    rule : mapping
        Key ``rule`` of section ``evidence``.
    """
    found: dict[tuple[str, str], dict[str, dict[int, LayerMoments]]] = {}
    for (_, panel, model, step), path in good_shards(shards, integrity).items():
        for stratum, moments in read_moments(path).items():
            found.setdefault((panel, stratum), {}).setdefault(model, {})[step] = moments
    rows = []
    for (panel, stratum), by_model in found.items():
        sides = [{m: by_model[m] for m in side if m in by_model} for side in (models, controls)]
        judged = judge_layers(*sides, subject=subject, stratum=stratum, rule=Rule(**rule)) if sides[0] else []
        rows += [{"panel": panel, **vars(row)} for row in judged]
    inputs = {"shards": digest_of_files(shards), "integrity": digest_of_files(integrity)}
    about = provenance("layer_evidence", VERSIONS["layer_evidence"], {"rule": dict(rule)}, inputs)
    write_rows(TABLE, from_rows(TABLE, rows, {"subject": subject}), output, about)


def read_moments(path: str) -> dict[str, LayerMoments]:
    """Within-stratum moments of every layer, by stratum; strata with a layer that has none are left out."""
    rows = [row for row in read_table(path).to_pylist() if row["part"] == "within"]
    by_stratum: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda one: one["layer"]):
        by_stratum.setdefault(row["stratum"], []).append(row)
    return {
        stratum: LayerMoments(
            _with_leave_outs(layers, "mean_square"), _with_leave_outs(layers, "mean_influence"), factor
        )
        for stratum, layers in by_stratum.items()
        if all(row["mean_square"] is not None and row["se_type_factor"] is not None for row in layers)
        for factor in [max(1.0, *(row["se_type_factor"] for row in layers))]
    }


def _with_leave_outs(layers: Sequence[Mapping], name: str) -> np.ndarray:
    """Return a moment and its values without each fold `[1 + fold, layer]`."""
    return np.array([[row[name], *row[f"{name}_leave_outs"]] for row in layers]).T
