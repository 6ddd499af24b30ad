"""Stage `set_spectra`: whether the weight rows of the most influential neurons point in common directions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.checkpoints.files import read_config
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.tensors import read_tensor, tensor_shapes
from rare_neurons.columns import joined_row
from rare_neurons.errors import RequestError
from rare_neurons.families import checked_matrices
from rare_neurons.numerics.organisation.edge import edge_sets
from rare_neurons.numerics.organisation.matching import draw_matched_sets, neuron_covariates, placebo_set
from rare_neurons.numerics.organisation.set_spectra import OfSet, SetSpectrumRow, measure_set_spectrum
from rare_neurons.stages.checkpoint_job import CheckpointFiles, CheckpointJob, Workplace, place_of, run_checkpoint_job
from rare_neurons.tables import file_sha256, from_rows, read_metadata, read_table

Rows = dict[str, tuple[np.ndarray, np.ndarray | None]]


@dataclass(frozen=True)
class SetSettings:
    """Section ``set_spectra`` of the configuration.

    Attributes
    ----------
    share : float
        Size of a set, as a share of the layer's neurons; at least two.
    select : str
        Column of the influence table that chooses the set: a half of the panel, so that the other is unseen.
    strata : sequence of str
        Whose influence chooses the set; a panel without one of them has no row for it.
    n_permutations, seed : int
        Random sets, and the seed of their draw.
    """

    share: float
    select: str
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
    options: Mapping[str, object],
    place: Workplace,
) -> None:
    """Compare the most influential neurons of part A of the grid with matched random sets, by W_in and by W_out.

    Parameters
    ----------
    output : str
    manifest, influence, activations, gradients : str
        Inputs, all of one checkpoint. One that the probe found bad gives a table of zero rows.
    options : mapping
        Fields of `SetSettings`.
    place : Workplace
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
    run_checkpoint_job(job, [files], measure, place=place)


def read_final_mlp(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """W_in and W_out of the last layer, float64 ``[neuron, d_model]``, without torch."""
    found = checked_matrices(read_config(folder), tensor_shapes(folder))
    specs = {(spec.layer, spec.matrix): spec for spec in found}
    last = max(layer for layer, _ in specs if layer is not None)
    chosen = (specs[last, "W_in"], specs[last, "W_out"])
    return tuple(spec.select(read_tensor(folder, spec.tensor)).astype(np.float64) for spec in chosen)


def _measure(
    W_in: np.ndarray, W_out: np.ndarray, shards: Mapping[str, str], settings: SetSettings
) -> Iterator[SetSpectrumRow]:
    size = max(2, round(settings.share * len(W_in)))
    variance = read_table(shards["activations"], ["activation_variance"])["activation_variance"].to_numpy()
    covariates, placebo = neuron_covariates(W_in, W_out, variance), placebo_set(W_out, variance, size)
    gradients = read_table(shards["gradients"], ["gradient"])["gradient"]
    directions = np.stack([row.values.to_numpy() for row in gradients])
    rows: Rows = {"W_in": (W_in, None), "W_out": (W_out, None), "W_out_without_gradients": (W_out, directions)}
    influences = _influences(shards["influence"], settings)
    seeds = np.random.SeedSequence(settings.seed).spawn(len(influences))
    for (stratum, influence), seed in zip(influences.items(), seeds, strict=True):
        draw, *exchanges = (np.random.default_rng(child) for child in seed.spawn(1 + len(rows)))
        chosen = np.argsort(-np.abs(influence), kind="stable")[:size]
        matched = draw_matched_sets(chosen, covariates, draw, n_sets=settings.n_permutations)
        # Where covariates alone choose the set, only what lies at its edge can change places.
        n_sets = settings.n_permutations
        edge = edge_sets(chosen, covariates, draw, n_sets=n_sets) if matched.reason else None
        for (matrix, (weights, projected)), rng in zip(rows.items(), exchanges, strict=True):
            found = measure_set_spectrum(weights, matched, placebo, rng=rng, directions=projected, edge=edge)
            yield joined_row(SetSpectrumRow, OfSet(stratum, matrix), found)


def _influences(path: str, settings: SetSettings) -> dict[str, np.ndarray]:
    """Influence that chooses the set, by stratum in the declared order."""
    table = read_table(path)
    if settings.select not in table.column_names:
        raise RequestError(f"{path} has no column {settings.select!r}; set `set_spectra.select` to one that it has")
    values = {s: table.filter(pc.equal(table["stratum"], s))[settings.select].to_numpy() for s in settings.strata}
    return {stratum: column for stratum, column in values.items() if len(column)}
