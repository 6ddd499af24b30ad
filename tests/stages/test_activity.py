"""Organisation and kinds of a tiny checkpoint: tables that fit each other, and bad checkpoints beside a good one."""

import shutil

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.stages.activity import OUTPUTS, SHARDS, read_probed, write_activity
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.on_panel import panel_of
from rare_neurons.stages.probe import probe_tables
from rare_neurons.tables import file_sha256, read_metadata, read_table, table_schema, write_rows
from tests.models.tiny import EXACT, N_NEURONS
from tests.stages.panels import STRATA
from tests.stages.tables import BAD, OK, put, put_manifest
from tests.stages.test_on_panel import inputs_in

OPTIONS = {
    "strata": ["rare", "absent", "common"],
    "signs": ["all", "suppress"],
    "select": "influence_a",
    "share": 0.2,
    "context_share": 1.0,
    "rows": 60,
    "targets": 20,
    "n_permutations": 99,
    "community_draws": 0,
    "joint_draws": 99,
    "heads": "last",
    "candidates": 2,
    "example_neurons": 1,
    "examples": 2,
    "seed": 0,
}
STEPS = (16, 8, 24)
"""A file that is cut off, a good one, and one that the probe has found bad."""


def write_shards(folder, place, run, inputs):
    """What the probe says of the run, or its fault."""
    if place["step"] == STEPS[2]:
        return {name: put(folder, name, place, [], BAD) for name in SHARDS}
    panel = panel_of(inputs, STRATA)
    tables = probe_tables(probe_model(load_model(run / "step8", dtype=torch.float32), panel, EXACT), panel, place)
    paths = {name: str(folder / f"{name}{place['step']}.parquet") for name in SHARDS}
    for name, path in paths.items():
        write_rows(name, tables[name], path, OK)
    return paths


@pytest.fixture(scope="module")
def written(tmp_path_factory, run):
    folder = tmp_path_factory.mktemp("activity")
    shutil.copytree(run, folder / "run")
    for step in (STEPS[0], STEPS[2]):
        shutil.copytree(folder / "run/step8", folder / f"run/step{step}")
    manifests = [put_manifest(folder / f"{step}.json", folder / "run", step) for step in STEPS]
    weights = folder / f"run/step{STEPS[0]}/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    inputs = inputs_in(folder)
    shards = [write_shards(folder, {"panel": "p", "model": "m", "step": step}, run, inputs) for step in STEPS]
    outputs = {name: [str(folder / f"out-{name}{step}.parquet") for step in STEPS] for name in OUTPUTS}
    write_activity(
        outputs,
        {**inputs, **{name: [paths[name] for paths in shards] for name in SHARDS}},
        manifests=manifests,
        panel="p",
        rules=STRATA,
        options=OPTIONS,
        machine={"device": "cpu", "batch_size": "auto"},
        place=Workplace({"folder": str(folder / "cache"), "disk_gb": 1}),
    )
    return outputs, shards


def test_tables_are_those_of_the_catalogue_and_name_what_went_in(written):
    outputs, shards = written
    for name, paths in outputs.items():
        table, about = read_table(paths[1]), read_metadata(paths[1])
        assert table.schema.equals(table_schema(name))
        assert (about["status"], about["params"]["strata"]) == ("ok", OPTIONS["strata"])
        assert {s: about["inputs"][s] for s in SHARDS} == {s: file_sha256(shards[1][s]) for s in SHARDS}
        assert set(about["inputs"]) == {"manifest", "contexts", "targets", "unigram", *SHARDS}
    n = {name: read_table(paths[1]).num_rows for name, paths in outputs.items()}
    assert (n["kinds"], n["readout"], n["sets"]) == (2 * N_NEURONS, 2 * N_NEURONS, 2 * (4 + 1))
    assert n["examples"] == 2 * 2 * 2


def test_sets_are_those_of_the_influence_that_was_handed_in(written):
    outputs, shards = written
    probed = read_probed(shards[1], ("rare", "common"))
    examples = read_table(outputs["examples"][1]).to_pylist()
    for stratum in ("rare", "common"):
        values = probed.influence["influence_a"][stratum]
        top = {row["sign"]: row["neuron"] for row in examples if row["stratum"] == stratum}
        assert top == {"all": np.argmax(np.abs(values)), "suppress": np.argmin(values)}


@pytest.mark.parametrize("k", [0, 2])
def test_a_bad_checkpoint_leaves_empty_tables_that_say_why(written, k):
    for name, paths in written[0].items():
        assert read_table(paths[k]).num_rows == 0, name
        about = read_metadata(paths[k])
        assert about["status"] == "bad_checkpoint"
        assert about["reason"] == BAD["reason"] or k == 0
