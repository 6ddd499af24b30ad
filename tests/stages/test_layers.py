"""Layers of a tiny checkpoint: tables that fit each other, and a bad checkpoint beside a good one."""

import shutil

import numpy as np
import pytest

from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.layers import OUTPUTS, write_layers
from rare_neurons.tables import read_metadata, read_table, table_schema
from tests.models.tiny import N_NEURONS
from tests.stages.panels import STRATA
from tests.stages.tables import put_manifest
from tests.stages.test_on_panel import inputs_in

OPTIONS = {
    "strata": ["rare", "common"],
    "contexts": 36,
    "n_top": 2,
    "n_random": 9,
    "epsilon": 0.01,
    "sign_draws": 2,
    "target_draws": 1,
    "confidence": 0.9,
    "seed": 0,
}
N_LAYERS, N_HEADS = 2, 2


@pytest.fixture(scope="module")
def written(tmp_path_factory, run):
    folder = tmp_path_factory.mktemp("layers")
    shutil.copytree(run, folder / "run")
    shutil.copytree(folder / "run/step8", folder / "run/step16")
    weights = folder / "run/step16/model.safetensors"
    manifests = [put_manifest(folder / f"{step}.json", folder / "run", step) for step in (16, 8)]
    weights.write_bytes(weights.read_bytes()[:-100])
    outputs = {name: [str(folder / f"{name}{step}.parquet") for step in (16, 8)] for name in OUTPUTS}
    write_layers(
        outputs,
        inputs_in(folder),
        manifests=manifests,
        panel="p",
        rules=STRATA,
        options=OPTIONS,
        machine={"device": "cpu", "batch_size": 16},
        place=Workplace({"folder": str(folder / "cache"), "disk_gb": 1}),
    )
    return outputs


def test_every_layer_neuron_head_and_sublayer_has_its_row(written):
    tables = {name: read_table(paths[1]) for name, paths in written.items()}
    for name, table in tables.items():
        assert table.schema.equals(table_schema(name))
        assert read_metadata(written[name][1])["status"] == "ok"
    n = {name: table.num_rows for name, table in tables.items()}
    assert n == {
        "layer_influence": N_LAYERS * N_NEURONS * 2,
        "layer_audit": N_LAYERS * 2 * 2,
        "heads": N_LAYERS * (N_HEADS + 2) * 2,
    }


def test_audited_neurons_are_exact_and_marked(written):
    neurons, audit = (read_table(written[name][1]).to_pylist() for name in ("layer_influence", "layer_audit"))
    for layer in range(N_LAYERS):
        exact = {row["neuron"] for row in neurons if row["layer"] == layer and row["exact"]}
        assert len(exact) == OPTIONS["n_top"] + OPTIONS["n_random"]
    for row in neurons:
        if row["status"] == "ok":
            assert row["influence_low"] <= row["influence"] <= row["influence_high"]
    whole = [row for row in audit if row["part"] == "whole" and row["status"] == "ok"]
    assert whole
    for row in whole:
        assert len(row["mean_square_leave_outs"]) == 12
        mine = [r["influence"] for r in neurons if (r["layer"], r["stratum"]) == (row["layer"], row["stratum"])]
        # The total is unbiased, the sum of the estimates is not: they agree within the interval's width.
        assert abs(np.sum(mine) - row["total_influence"]) <= row["total_high"] - row["total_low"] + 1e-6


def test_a_bad_checkpoint_leaves_empty_tables_that_say_why(written):
    for name, paths in written.items():
        assert read_table(paths[0]).num_rows == 0, name
        assert read_metadata(paths[0])["status"] == "bad_checkpoint"
