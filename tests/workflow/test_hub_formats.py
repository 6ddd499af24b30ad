"""Repositories in the formats of the first years, through the whole pipeline, beside the same weights in float32.

float16 is rounded once, when a repository was made; what is read from it is computed in float32. So the exact
statement is equality with a local run on float32 files that hold the rounded values, not closeness to a bound.
"""

import shutil

import pyarrow.parquet as pq
import pytest

from rare_neurons import load_integrity, load_timeline
from rare_neurons.checkpoints.manifest import read_manifest
from tests.hub.revisions import save_legacy, save_rounded
from tests.hub.server import serve
from tests.workflow.project import NO_FIGURES

pytestmark = pytest.mark.pipeline

STEPS = [0, 4]
PER_PANEL = ("influence", "cells", "behaviour", "moments", "activations", "gradients", "regimes", "inequality")
FORMATS = {
    "old": {0: {"kind": "bin"}, 4: {"kind": "bin", "n_shards": 3}},
    "new": {0: {"kind": "safetensors"}, 4: {"kind": "safetensors", "n_shards": 2}},
}


def run_all(project, folder, hub):
    """Measure both repositories and the local checkpoints in one results tree."""
    for step in STEPS:
        save_rounded(folder / f"trained/step{step}", project.folder / f"run/step{step}")
        for name, formats in FORMATS.items():
            save_legacy(folder / f"trained/step{step}", folder / f"hub/lab/{name}/step{step}", **formats[step])
    common = {"tokenizer": "bpe", "steps": STEPS, "subject": "tiny"}
    repositories = {
        name: {"source": "hub", "repo": f"lab/{name}", "revision": "step{step}", "n_neurons": 64, **common}
        for name in FORMATS
    }
    local = {"source": "folder", "path": "run/step{step}", **common}
    nothing = {name: {"steps": "none"} for name in ("layers", "allocation", "activity")}
    project.configure(models={"local": local, **repositories}, **nothing)
    project.variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1"}
    project.run(*NO_FIGURES)
    return project.folder / "results"


def without_name(path):
    table = pq.read_table(path).replace_schema_metadata()
    return table.drop_columns([name for name in ("model",) if name in table.schema.names])


def test_float16_repositories_with_legacy_buffers_equal_a_local_run_on_the_rounded_values(project, tmp_path):
    shutil.move(project.folder / "results/pretrain/tiny-seed0", tmp_path / "trained")
    made = ("manifest", "integrity", "timelines", "figures", "spectra", "eigenvalues", "fingerprint", "alpha_null")
    for table in (*made, *PER_PANEL):
        shutil.rmtree(project.folder / f"results/{table}")
    with serve(tmp_path / "hub") as hub:
        results = run_all(project, tmp_path, hub)
    for model in FORMATS:
        for step in STEPS:
            for table in PER_PANEL:
                ours, local = (results / f"{table}/heldout/{m}/step{step}.parquet" for m in (model, "local"))
                # The local model's checkpoint tells how many neurons it has.
                assert without_name(ours).equals(without_name(local)), (model, step, table)
            for table in ("spectra", "eigenvalues", "fingerprint"):
                ours, local = (results / f"{table}/{m}/step{step}.parquet" for m in (model, "local"))
                assert without_name(ours).equals(without_name(local)), (model, step, table)
        assert len(load_timeline(results, "influence"))
    assert not any(row["quarantined"] for row in load_integrity(results, format="arrow").to_pylist())
    suffixes = {
        m: {f.name.rsplit(".")[-1] for f in manifest_files(results, m)} & {"bin", "safetensors"} for m in FORMATS
    }
    assert suffixes == {"old": {"bin"}, "new": {"safetensors"}}


def manifest_files(results, model):
    return [f for step in STEPS for f in read_manifest(results / f"manifest/{model}/step{step}.json").files]
