"""Stage `groups`: do the weight rows of the most influential neurons point in common directions?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.checkpoints.tensors import read_tensor, tensor_names
from rare_neurons.errors import DataFault
from rare_neurons.families import weight_matrices
from rare_neurons.numerics.organisation.group_spectra import measure_group_spectrum
from rare_neurons.schemas import GROUPS
from rare_neurons.stages.cache import cache_place
from rare_neurons.tables import file_sha256, provenance, read_metadata, read_table, write_table

Rows = dict[str, tuple[np.ndarray, np.ndarray | None]]


def write_groups(
    output: str,
    *,
    manifest: str,
    influence: str,
    activations: str,
    gradients: str,
    cache: Mapping[str, object],
    share: float,
    strata: Sequence[str],
    n_permutations: int,
    seed: int,
    version: int,
) -> None:
    """Compare the most influential neurons of half A with matched random groups, by W_in and by W_out.

    Parameters
    ----------
    output : str
    manifest, influence, activations, gradients : str
        Inputs, all of one checkpoint. One that the probe found bad gives a table of zero rows.
    cache : mapping
        Section ``cache`` of the configuration.
    share : float
        Size of a group, as a share of the layer's neurons; at least two.
    strata : sequence of str
        Whose influence chooses the group; a panel without one of them has no row for it.
    n_permutations, seed : int
        Random groups, and the seed of their draw.
    version : int
    """
    about = read_metadata(influence)
    status, reason = about["status"], about["reason"]
    checkpoint = read_manifest(Path(manifest))
    records: list[dict] = []
    if status == "ok":
        try:
            with open_weights(checkpoint, **cache_place(cache)) as folder:
                W_in, W_out = read_final_mlp(folder)
            records = _measure(
                W_in,
                W_out,
                influence,
                activations,
                gradients,
                strata,
                share,
                n_permutations,
                np.random.SeedSequence(seed),
            )
        except DataFault as fault:
            status, reason = "bad_checkpoint", str(fault)
    params = {"share": share, "strata": list(strata), "n_permutations": n_permutations, "seed": seed}
    inputs = {"manifest": checkpoint.digest}
    inputs |= {
        name: file_sha256(path)
        for name, path in (("influence", influence), ("activations", activations), ("gradients", gradients))
    }
    kept = {key: about[key] for key in ("commit", "weights_sha256", "dtype")}
    metadata = provenance("groups", version, params, inputs, **kept, status=status, reason=reason)
    write_table(pa.Table.from_pylist(records, schema=GROUPS), output, metadata)


def read_final_mlp(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """W_in and W_out of the last layer, float64 ``[neuron, d_model]``, without torch."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    specs = {(spec.layer, spec.matrix): spec for spec in weight_matrices(config, tensor_names(folder))}
    last = max(layer for layer, _ in specs if layer is not None)
    chosen = (specs[last, "W_in"], specs[last, "W_out"])
    return tuple(spec.select(read_tensor(folder, spec.tensor)).astype(np.float64) for spec in chosen)


def _measure(
    W_in: np.ndarray,
    W_out: np.ndarray,
    influence: str,
    activations: str,
    gradients: str,
    strata: Sequence[str],
    share: float,
    n_permutations: int,
    seed: np.random.SeedSequence,
) -> list[dict]:
    values = read_table(influence, ["panel", "model", "step", "stratum", "influence_a"])
    place = {key: values[key][0].as_py() for key in ("panel", "model", "step")}
    size = max(2, round(share * len(W_in)))
    variance = read_table(activations, ["activation_variance"])["activation_variance"].to_numpy()
    covariates = np.stack([np.linalg.norm(W_in, axis=1), np.linalg.norm(W_out, axis=1), variance], axis=1)
    directions = np.stack([row.values.to_numpy() for row in read_table(gradients, ["gradient"])["gradient"]])
    rows: Rows = {"W_in": (W_in, None), "W_out": (W_out, None), "W_out_without_gradients": (W_out, directions)}
    records = []
    present = [s for s in strata if s in set(values["stratum"].to_pylist())]
    for stratum in present:
        half_a = values.filter(pc.equal(values["stratum"], stratum))["influence_a"].to_numpy()
        group = np.argsort(-np.abs(half_a), kind="stable")[:size]
        for (matrix, (weights, projected)), child in zip(rows.items(), seed.spawn(len(rows)), strict=True):
            found = measure_group_spectrum(
                weights,
                group,
                covariates,
                rng=np.random.default_rng(child),
                directions=projected,
                n_permutations=n_permutations,
            )
            records.append({**place, "stratum": stratum, "matrix": matrix, **asdict(found)})
    return records
