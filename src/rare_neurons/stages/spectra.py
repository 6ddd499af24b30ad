"""Stage `spectra`: one lazy pass over a checkpoint's tensors, for the spectra of its matrices and its fingerprint."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.checkpoints.tensors import iter_tensors, tensor_names
from rare_neurons.errors import DataFault
from rare_neurons.families import weight_matrices
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import SPECTRUM_COLUMNS, measure_spectrum
from rare_neurons.schemas import FINGERPRINT, SPECTRA
from rare_neurons.stages.cache import cache_place
from rare_neurons.tables import provenance, write_table


def write_spectra(
    spectra: str,
    fingerprint: str,
    *,
    manifest: str,
    cache: Mapping[str, object],
    options: Mapping[str, object],
    n_projections: int,
    version: int,
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
    version : int
    """
    checkpoint = read_manifest(Path(manifest))
    place = {"model": checkpoint.model, "step": checkpoint.step}
    rows: list[dict] = []
    prints: list[dict] = []
    status, reason = "ok", None
    try:
        with open_weights(checkpoint, **cache_place(cache)) as folder:
            rows, prints = _measure(folder, place, options, n_projections)
    except DataFault as fault:
        status, reason = "bad_checkpoint", str(fault)
    inputs = {"manifest": checkpoint.digest}
    for output, records, schema, params in (
        (spectra, rows, SPECTRA, dict(options)),
        (fingerprint, prints, FINGERPRINT, {"n_projections": n_projections}),
    ):
        about = provenance(
            "spectra",
            version,
            params,
            inputs,
            commit=checkpoint.commit,
            weights_sha256=checkpoint.weights_digest,
            dtype="float64",
            status=status,
            reason=reason,
        )
        write_table(pa.Table.from_pylist(records, schema=schema), output, about)


def _measure(
    folder: Path, place: Mapping[str, object], options: Mapping[str, object], n_projections: int
) -> tuple[list[dict], list[dict]]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    specs: dict[str, list] = {}
    for spec in weight_matrices(config, tensor_names(folder)):
        specs.setdefault(spec.tensor, []).append(spec)
    rows, prints = [], []
    for name, array in iter_tensors(folder):
        found = fingerprint_tensor(name, array, n_projections=n_projections)
        prints.append(
            {
                **place,
                "tensor": name,
                "shape": found.shape,
                "norm": found.norm,
                "n_nonfinite": found.n_nonfinite,
                "sha256": found.sha256,
                "projection": found.projection,
            }
        )
        for spec in specs.get(name, []):
            rows.append({**place, **_row(spec, spec.select(array), options)})
    rows.sort(key=lambda r: (-1 if r["layer"] is None else r["layer"], r["matrix"]))
    prints.sort(key=lambda r: r["tensor"])  # checkpoints of one run may be cut into different shards
    return rows, prints


def _row(spec, matrix: np.ndarray, options: Mapping[str, object]) -> dict:
    row = {"layer": spec.layer, "matrix": spec.matrix, "rows": matrix.shape[0], "cols": matrix.shape[1]}
    n_bad = int(matrix.size - np.isfinite(matrix).sum())
    if n_bad:
        reason = f"{n_bad} of {matrix.size} entries of {spec.tensor} are not finite"
        return {**row, **dict.fromkeys(SPECTRUM_COLUMNS), "status": "non_finite", "reason": reason}
    result = measure_spectrum(matrix, SpectrumOptions(**options))
    return {**row, **{name: getattr(result, name) for name in SPECTRUM_COLUMNS}}
