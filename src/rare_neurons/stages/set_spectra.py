"""Stage `set_spectra`: whether the weight rows of the most influential neurons point in common directions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.tensors import read_tensor, tensor_names
from rare_neurons.columns import joined_row
from rare_neurons.families import weight_matrices
from rare_neurons.numerics.organisation.set_spectra import OfSet, SetSpectrumRow, measure_set_spectrum
from rare_neurons.stages.checkpoint_job import CheckpointFiles, CheckpointJob, place_of, run_checkpoint_job
from rare_neurons.tables import file_sha256, from_rows, read_metadata, read_table

Rows = dict[str, tuple[np.ndarray, np.ndarray | None]]


@dataclass(frozen=True)
class SetSettings:
    """Section ``set_spectra`` of the configuration.

    Attributes
    ----------
    share : float
        Size of a set, as a share of the layer's neurons; at least two.
    strata : sequence of str
        Whose influence chooses the set; a panel without one of them has no row for it.
    n_permutations, seed : int
        Random sets, and the seed of their draw.
    """

    share: float
    strata: Sequence[str]
    n_permutations: int
    seed: int


def write_set_spectra(
    output: str,
    *,
    manifest: str,
    influence: str,
    activations: str,
    gradients: str,
    cache: Mapping[str, object],
    options: Mapping[str, object],
) -> None:
    """Compare the most influential neurons of half A with matched random sets, by W_in and by W_out.

    Parameters
    ----------
    output : str
    manifest, influence, activations, gradients : str
        Inputs, all of one checkpoint. One that the probe found bad gives a table of zero rows.
    cache : mapping
        Section ``cache`` of the configuration.
    options : mapping
        Fields of `SetSettings`.
    """
    settings = SetSettings(**options)
    about = read_metadata(influence)
    shards = {"influence": influence, "activations": activations, "gradients": gradients}
    files = CheckpointFiles(
        manifest,
        {"set_spectra": output},
        inputs={name: file_sha256(path) for name, path in shards.items()},
        fault=None if about["status"] == "ok" else str(about["reason"]),
    )

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        rows = _measure(*read_final_mlp(folder), shards, settings)
        panel = read_table(influence, ["panel"])["panel"][0].as_py()
        return {"set_spectra": from_rows("set_spectra", list(rows), place_of(checkpoint, panel))}

    job = CheckpointJob("set_spectra", params={"set_spectra": dict(options)}, about={"dtype": about["dtype"]})
    run_checkpoint_job(job, [files], measure, cache=cache)


def read_final_mlp(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """W_in and W_out of the last layer, float64 ``[neuron, d_model]``, without torch."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    specs = {(spec.layer, spec.matrix): spec for spec in weight_matrices(config, tensor_names(folder))}
    last = max(layer for layer, _ in specs if layer is not None)
    chosen = (specs[last, "W_in"], specs[last, "W_out"])
    return tuple(spec.select(read_tensor(folder, spec.tensor)).astype(np.float64) for spec in chosen)


def _measure(
    W_in: np.ndarray, W_out: np.ndarray, shards: Mapping[str, str], settings: SetSettings
) -> Iterator[SetSpectrumRow]:
    values = read_table(shards["influence"], ["stratum", "influence_a"])
    size = max(2, round(settings.share * len(W_in)))
    variance = read_table(shards["activations"], ["activation_variance"])["activation_variance"].to_numpy()
    covariates = np.stack([np.linalg.norm(W_in, axis=1), np.linalg.norm(W_out, axis=1), variance], axis=1)
    gradients = read_table(shards["gradients"], ["gradient"])["gradient"]
    directions = np.stack([row.values.to_numpy() for row in gradients])
    rows: Rows = {"W_in": (W_in, None), "W_out": (W_out, None), "W_out_without_gradients": (W_out, directions)}
    seed = np.random.SeedSequence(settings.seed)
    present = [s for s in settings.strata if s in set(values["stratum"].to_pylist())]
    for stratum in present:
        half_a = values.filter(pc.equal(values["stratum"], stratum))["influence_a"].to_numpy()
        chosen = np.argsort(-np.abs(half_a), kind="stable")[:size]
        for (matrix, (weights, projected)), child in zip(rows.items(), seed.spawn(len(rows)), strict=True):
            found = measure_set_spectrum(
                weights,
                chosen,
                covariates,
                rng=np.random.default_rng(child),
                directions=projected,
                n_permutations=settings.n_permutations,
            )
            yield joined_row(SetSpectrumRow, OfSet(stratum, matrix), found)
