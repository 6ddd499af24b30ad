"""Stage `spectra`: one lazy pass over a checkpoint's tensors, for the spectra of its matrices and its fingerprint."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.tensors import iter_tensors, tensor_names
from rare_neurons.families import MatrixSpec, weight_matrices
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import SPECTRUM_COLUMNS, measure_spectrum
from rare_neurons.stages.checkpoint_job import CheckpointFiles, CheckpointJob, place_of, run_checkpoint_job
from rare_neurons.tables import from_rows


def write_spectra(
    spectra: str,
    fingerprint: str,
    *,
    manifest: str,
    cache: Mapping[str, object],
    options: Mapping[str, object],
    n_projections: int,
) -> None:
    """Measure every weight matrix and fingerprint every tensor of one checkpoint, without torch.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    spectra, fingerprint : str
        Outputs.
    manifest : str
        Input.
    cache : mapping
        ``folder`` and ``disk_gb`` of the managed cache.
    options : mapping
        Fields of `SpectrumOptions`.
    n_projections : int
        Length of each tensor's random projection.
    """
    job = CheckpointJob(
        "spectra",
        params={"spectra": dict(options), "fingerprint": {"n_projections": n_projections}},
        about={"dtype": "float64"},
    )
    files = CheckpointFiles(manifest, {"spectra": spectra, "fingerprint": fingerprint})

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        rows, prints = measure_folder(folder, options, n_projections)
        place = place_of(checkpoint)
        return {"spectra": from_rows("spectra", rows, place), "fingerprint": from_rows("fingerprint", prints, place)}

    run_checkpoint_job(job, [files], measure, cache=cache)


def measure_folder(
    folder: Path, options: Mapping[str, object], n_projections: int
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Rows of the spectra of a folder's matrices, and of the fingerprints of its tensors."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    specs: dict[str, list[MatrixSpec]] = {}
    for spec in weight_matrices(config, tensor_names(folder)):
        specs.setdefault(spec.tensor, []).append(spec)
    rows: list[dict[str, object]] = []
    prints: list[dict[str, object]] = []
    for name, array in iter_tensors(folder):
        found = fingerprint_tensor(name, array, n_projections=n_projections)
        columns = ("shape", "norm", "n_nonfinite", "sha256", "projection")
        prints.append({"tensor": name, **{column: getattr(found, column) for column in columns}})
        rows += [_row(spec, spec.select(array), options) for spec in specs.get(name, [])]
    return rows, prints


def _row(spec: MatrixSpec, matrix: np.ndarray, options: Mapping[str, object]) -> dict[str, object]:
    row = {"layer": spec.layer, "matrix": spec.matrix, "rows": matrix.shape[0], "cols": matrix.shape[1]}
    n_bad = int(matrix.size - np.isfinite(matrix).sum())
    if n_bad:
        reason = f"{n_bad} of {matrix.size} entries of {spec.tensor} are not finite"
        known = {"n_eigenvalues": min(matrix.shape), "status": "non_finite", "reason": reason}
        return {**row, **dict.fromkeys(SPECTRUM_COLUMNS), **known}
    result = measure_spectrum(matrix, SpectrumOptions(**options))
    return {**row, **{name: getattr(result, name) for name in SPECTRUM_COLUMNS}}
