import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rare_neurons.families import weight_matrices
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.spectra import measure_folder, write_spectra
from rare_neurons.tables import read_metadata, read_table
from tests.stages.tables import put_manifest

CHEAP = {"shuffles": 0, "farms_windows": 0, "refits": 0, "gof_refits": 0, "likelihood_ratios": False}
N_LAYERS, N_PROJECTIONS = 2, 8
W_OUT = "gpt_neox.layers.{}.mlp.dense_4h_to_h.weight"


@pytest.fixture
def measure(tmp_path, run):
    """Write the tables of a copy of the run whose tensors a function changed, after its manifest if asked."""

    def measured(change=lambda tensors: None, *, cut=False):
        folder = tmp_path / "run" / "step8"
        folder.mkdir(parents=True)
        tensors = load_file(run / "step8/model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")
        (folder / "config.json").write_text((run / "step8/config.json").read_text())
        manifest = put_manifest(tmp_path / "manifest.json", tmp_path / "run", 8)
        if cut:
            weights = folder / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1])
        paths = [tmp_path / name for name in ("spectra.parquet", "eigenvalues.parquet", "fingerprint.parquet")]
        cache = {"folder": str(tmp_path / "cache"), "disk_gb": 1}
        about = {"options": CHEAP, "n_projections": N_PROJECTIONS, "place": Workplace(cache)}
        outputs = {path.stem: [str(path)] for path in paths}
        write_spectra(outputs, manifests=[manifest], **about)
        return tensors, *paths

    return measured


def test_every_matrix_has_a_spectrum_and_every_tensor_a_fingerprint(measure, run):
    tensors, spectra, eigenvalues, fingerprint = measure()
    rows = {(row["layer"], row["matrix"]): row for row in read_table(spectra).to_pylist()}
    expected = weight_matrices(json.loads((run / "step8/config.json").read_text()), list(tensors))
    assert rows.keys() == {(spec.layer, spec.matrix) for spec in expected}
    assert {layer for layer, _ in rows} == {None, *range(N_LAYERS)}
    for layer in range(N_LAYERS):
        row, matrix = rows[layer, "W_out"], tensors[W_OUT.format(layer)].astype(np.float64)
        assert row["n_eigenvalues"] == min(matrix.shape)
        assert row["log_spectral_norm"] == pytest.approx(2 * np.log10(np.linalg.norm(matrix, 2)))
    for row in read_table(eigenvalues).to_pylist():
        found, measured = np.array(row["eigenvalues"]), rows[row["layer"], row["matrix"]]
        assert found.size == measured["n_eigenvalues"]
        assert (np.diff(found) >= 0).all()
        # Each is rounded to float32.
        assert found.sum() == pytest.approx(measured["frobenius_norm"] ** 2, rel=1e-7)
    prints = {row["tensor"]: row for row in read_table(fingerprint).to_pylist()}
    assert prints.keys() == tensors.keys()
    assert {len(row["projection"]) for row in prints.values()} == {N_PROJECTIONS}
    for name, row in prints.items():
        assert (row["shape"], row["n_nonfinite"]) == (list(tensors[name].shape), 0)
        assert row["norm"] == pytest.approx(np.linalg.norm(tensors[name].astype(np.float64)))
    params = [read_metadata(path)["params"] for path in (spectra, eigenvalues, fingerprint)]
    assert params == [CHEAP, {}, {"n_projections": N_PROJECTIONS}]


def test_a_matrix_that_is_not_finite_has_no_spectrum_and_leaves_the_others(measure):
    def spoil(tensors):
        tensors[W_OUT.format(1)][0, :2] = (np.nan, np.inf)

    _, spectra, eigenvalues, fingerprint = measure(spoil)
    rows = {(row["layer"], row["matrix"]): row for row in read_table(spectra).to_pylist()}
    bad = rows.pop((1, "W_out"))
    assert (bad["status"], bad["alpha"], bad["frobenius_norm"], bad["n_eigenvalues"]) == ("non_finite", None, None, 12)
    assert bad["reason"] == f"2 of 240 entries of {W_OUT.format(1)} are not finite"
    none = [(r["layer"], r["matrix"]) for r in read_table(eigenvalues).to_pylist() if r["eigenvalues"] is None]
    assert none == [(1, "W_out")]
    assert all(row["frobenius_norm"] > 0 for row in rows.values())
    bad_tensors = {r["tensor"]: r["n_nonfinite"] for r in read_table(fingerprint).to_pylist() if r["n_nonfinite"]}
    assert bad_tensors == {W_OUT.format(1): 2}
    assert read_metadata(spectra)["status"] == "ok"


def test_a_file_that_is_cut_off_gives_empty_tables(measure):
    _, *paths = measure(cut=True)
    for path in paths:
        assert read_table(path).num_rows == 0
        about = read_metadata(path)
        assert about["status"] == "bad_checkpoint"
        assert "model.safetensors was truncated" in about["reason"]


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "gpt2"])
def test_a_state_dictionary_in_a_bin_file_has_the_rows_of_the_same_model(tmp_path, name):
    """Where the unembedding has another name, or stands beside the embedding that it is tied to."""
    import torch

    from tests.models.tiny import random_model

    model = random_model(name, dtype=torch.float32)
    model.save_pretrained(tmp_path)
    expected = measure_folder(tmp_path, CHEAP, N_PROJECTIONS)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    found = measure_folder(tmp_path, CHEAP, N_PROJECTIONS)
    for table, keys in (
        ("spectra", ("layer", "matrix")),
        ("eigenvalues", ("layer", "matrix")),
        ("fingerprint", ("tensor",)),
    ):
        rows, others = ({tuple(r[k] for k in keys): r for r in getattr(one, table)} for one in (found, expected))
        np.testing.assert_equal(rows, others)
