"""Stage `spectra`: one lazy pass over a checkpoint's tensors, for the spectra of its matrices and its fingerprint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.files import read_config
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.tensors import iter_tensors, tensor_shapes
from rare_neurons.families import MatrixSpec, checked_matrices, known_tensors
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import SPECTRUM_COLUMNS, measure_spectrum
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    CheckpointJob,
    Workplace,
    files_of,
    place_of,
    run_checkpoint_job,
)
from rare_neurons.tables import from_rows

OUTPUTS = ("spectra", "eigenvalues", "fingerprint")


def write_spectra(
    outputs: Mapping[str, Sequence[str]],
    *,
    manifests: Sequence[str],
    options: Mapping[str, object],
    n_projections: int,
    place: Workplace,
) -> None:
    """Measure every weight matrix and fingerprint every tensor of checkpoints, without torch.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        For each of `OUTPUTS` a path for every checkpoint.
    manifests : sequence of str
        Inputs, in the same order.
    options : mapping
        Fields of `SpectrumOptions`.
    n_projections : int
        Length of each tensor's random projection.
    place : Workplace
    """
    params = {"spectra": dict(options), "eigenvalues": {}, "fingerprint": {"n_projections": n_projections}}
    job = CheckpointJob("spectra", params=params, about={"dtype": "float64"})

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        found, place = measure_folder(folder, options, n_projections), place_of(checkpoint)
        return {name: from_rows(name, getattr(found, name), place) for name in params}

    run_checkpoint_job(job, files_of(manifests, outputs), measure, place=place)


@dataclass(frozen=True)
class FolderRows:
    """Rows of the three tables of one checkpoint."""

    spectra: list[dict[str, object]] = field(default_factory=list)
    eigenvalues: list[dict[str, object]] = field(default_factory=list)
    fingerprint: list[dict[str, object]] = field(default_factory=list)


def measure_folder(folder: Path, options: Mapping[str, object], n_projections: int) -> FolderRows:
    """Rows of the spectra and eigenvalues of a folder's matrices, and of the fingerprints of its tensors."""
    return measure_tensors(read_config(folder), tensor_shapes(folder), iter_tensors(folder), options, n_projections)


def measure_tensors(
    config: Mapping[str, object],
    shapes: Mapping[str, tuple[int, ...]],
    tensors: Iterable[tuple[str, np.ndarray]],
    options: Mapping[str, object],
    n_projections: int,
) -> FolderRows:
    """As `measure_folder`, of tensors from anywhere: `shapes` of all of them, then each with its name, once."""
    known = known_tensors(config, shapes)
    specs: dict[str, list[MatrixSpec]] = {}
    for spec in checked_matrices(config, shapes):
        specs.setdefault(spec.tensor, []).append(spec)
    rows = FolderRows()
    for name, array in tensors:
        if name not in known:
            continue
        found = fingerprint_tensor(known[name], array, n_projections=n_projections)
        columns = ("shape", "norm", "n_nonfinite", "sha256", "projection")
        rows.fingerprint.append({"tensor": known[name], **{column: getattr(found, column) for column in columns}})
        for spec in specs.get(name, []):
            matrix = spec.select(array)
            n_bad = int(matrix.size - np.isfinite(matrix).sum()) if found.n_nonfinite else 0
            _measure_matrix(rows, spec, matrix, n_bad, SpectrumOptions(**options))
    return rows


def _measure_matrix(
    rows: FolderRows, spec: MatrixSpec, matrix: np.ndarray, n_bad: int, options: SpectrumOptions
) -> None:
    """Append a matrix, of which `n_bad` entries are not finite, to the spectra and the eigenvalues."""
    place = {"layer": spec.layer, "matrix": spec.matrix, "rows": matrix.shape[0], "cols": matrix.shape[1]}
    if n_bad:
        reason = f"{n_bad} of {matrix.size} entries of {spec.tensor} are not finite"
        known = {"n_eigenvalues": min(matrix.shape), "status": "non_finite", "reason": reason}
        rows.spectra.append({**place, **dict.fromkeys(SPECTRUM_COLUMNS), **known})
        rows.eigenvalues.append({**place, "eigenvalues": None})
        return
    values = eigenvalues(matrix)
    result = measure_spectrum(matrix, options, values=values)
    rows.spectra.append({**place, **{name: getattr(result, name) for name in SPECTRUM_COLUMNS}})
    rows.eigenvalues.append({**place, "eigenvalues": values.tolist()})
