from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import load_file

from rare_neurons.checkpoints.manifest import Manifest, write_manifest
from rare_neurons.errors import RequestError
from rare_neurons.numerics.organisation.matching import draw_matched_sets, neuron_covariates, placebo_set
from rare_neurons.numerics.organisation.set_spectra import measure_set_spectrum
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.set_spectra import read_final_mlp, write_set_spectra
from rare_neurons.tables import read_metadata, read_table, table_schema
from tests.stages.tables import BAD, put, put_manifest

PLACE = {"panel": "p", "model": "m", "step": 8}
N_NEURONS, WIDTH, N_SET = 20, 12, 4
OPTIONS = {
    "share": N_SET / N_NEURONS,
    "select": "influence_a",
    "strata": ["rare", "common", "absent"],
    "n_permutations": 99,
    "seed": 5,
}
MATRICES = ("W_in", "W_out", "W_out_without_gradients")
SHARDS = ("influence", "activations", "gradients")


def test_a_checkpoint_that_the_probe_found_bad_is_not_opened(tmp_path):
    write_manifest(Manifest("m", 8, "folder", "no/such/folder"), tmp_path / "manifest.json")
    shards = {name: put(tmp_path, name, PLACE, [], BAD) for name in SHARDS}
    output = tmp_path / "set_spectra.parquet"
    inputs = {"manifest": str(tmp_path / "manifest.json"), **shards}
    write_set_spectra(str(output), **inputs, options=OPTIONS, place=place(tmp_path))
    table, about = read_table(output), read_metadata(output)
    assert (table.num_rows, about["status"], about["reason"]) == (0, BAD["status"], BAD["reason"])
    assert table.schema.equals(table_schema("set_spectra"))


def place(folder):
    return Workplace({"folder": str(folder / "cache"), "disk_gb": 1})


def last_mlp(run):
    """W_in and W_out of the last layer, one row per neuron."""
    tensors = load_file(run / "step8/model.safetensors")
    W_in, W_out = (tensors[f"gpt_neox.layers.1.mlp.{name}.weight"] for name in ("dense_h_to_4h", "dense_4h_to_h"))
    return W_in.astype(np.float64), W_out.T.astype(np.float64)


def test_the_last_layer_is_read_with_a_row_per_neuron(run):
    for found, expected in zip(read_final_mlp(run / "step8"), last_mlp(run), strict=True):
        assert found.shape == (N_NEURONS, WIDTH)
        np.testing.assert_array_equal(found, expected)


def test_rows_are_those_of_the_numerics(tmp_path, run):
    rng = np.random.default_rng(2)
    half_a = {stratum: rng.standard_normal(N_NEURONS) for stratum in ("common", "rare")}
    variance, gradients = rng.uniform(1, 2, N_NEURONS), rng.standard_normal((2, WIDTH))
    tables = {
        "influence": [
            {"stratum": s, "neuron": i, "influence_a": x, "influence": -x if i % 2 else 9.0}
            for s in half_a
            for i, x in enumerate(half_a[s])
        ],
        "activations": [{"neuron": i, "activation_variance": x} for i, x in enumerate(variance)],
        "gradients": [{"stratum": s, "gradient": g.tolist()} for s, g in zip(half_a, gradients, strict=True)],
    }
    inputs = {name: put(tmp_path, name, PLACE, rows) for name, rows in tables.items()}
    inputs["manifest"] = put_manifest(tmp_path / "manifest.json", run, 8)
    output = tmp_path / "set_spectra.parquet"
    write_set_spectra(str(output), **inputs, options=OPTIONS, place=place(tmp_path))

    W_in, W_out = last_mlp(run)
    covariates, placebo = neuron_covariates(W_in, W_out, variance), placebo_set(W_out, variance, N_SET)
    weights = {"W_in": (W_in, None), "W_out": (W_out, None), "W_out_without_gradients": (W_out, gradients)}
    expected = {}
    # In the declared order, one stream for the draw and one for each matrix.
    for stratum, seed in zip(("rare", "common"), np.random.SeedSequence(OPTIONS["seed"]).spawn(2), strict=True):
        draw, *exchanges = map(np.random.default_rng, seed.spawn(4))
        top = np.argsort(-np.abs(half_a[stratum]))[:N_SET]
        matched = draw_matched_sets(top, covariates, draw, n_sets=OPTIONS["n_permutations"])
        for matrix, rng in zip(MATRICES, exchanges, strict=True):
            rows, directions = weights[matrix]
            found = measure_set_spectrum(rows, matched, placebo, directions=directions, rng=rng)
            expected[stratum, matrix] = {**PLACE, "stratum": stratum, "matrix": matrix, **asdict(found)}
    found = {(row["stratum"], row["matrix"]): row for row in read_table(output).to_pylist()}
    assert found == {key: pytest.approx(row) for key, row in expected.items()}


def test_a_column_that_the_influence_table_lacks_is_refused(tmp_path, run):
    rows = [{"stratum": "rare", "neuron": i, "influence_a": 1.0} for i in range(N_NEURONS)]
    inputs = {
        "influence": put(tmp_path, "influence", PLACE, rows),
        "activations": put(
            tmp_path, "activations", PLACE, [{"neuron": i, "activation_variance": 1.0} for i in range(N_NEURONS)]
        ),
        "gradients": put(tmp_path, "gradients", PLACE, [{"stratum": "rare", "gradient": [1.0] * WIDTH}]),
        "manifest": put_manifest(tmp_path / "manifest.json", run, 8),
    }
    options = OPTIONS | {"select": "influence_elsewhere"}
    with pytest.raises(RequestError, match=r"has no column 'influence_elsewhere'; set `set_spectra\.select`"):
        write_set_spectra(str(tmp_path / "out.parquet"), **inputs, options=options, place=place(tmp_path))
