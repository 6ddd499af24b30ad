"""The whole pipeline on revisions of a Hub: the real client against a server on the loopback interface."""

import shutil
from collections import Counter

import pyarrow.parquet as pq
import pytest

from rare_neurons import load_integrity, load_timeline
from tests.hub.server import Fault, serve

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("hub")]

STEPS = [0, 2, 4]
TABLES = ("influence/heldout", "folds/heldout", "behaviour/heldout", "regimes/heldout", "spectra", "fingerprint")


@pytest.fixture
def served(project, tmp_path):
    """The finished run's checkpoints as revisions, and a project that knows them from the Hub alone."""
    local = tmp_path / "local"
    shutil.move(project.folder / "results", local)
    for step in STEPS:
        shutil.copytree(local / f"pretrain/tiny-seed0/step{step}", tmp_path / f"hub/lab/tiny/step{step}")
    model = {
        "source": "hub",
        "repo": "lab/tiny",
        "revision": "step{step}",
        "tokenizer": "bpe",
        "n_neurons": 64,
        "steps": STEPS,
    }
    with serve(tmp_path / "hub") as hub:
        project.variables = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        yield project, hub, local, model


def rows(results, table, step):
    return pq.read_table(results / f"{table}/tiny-seed0/step{step}.parquet").replace_schema_metadata()


def weights_served(hub) -> list[str]:
    return [path for path in hub.downloads(whole=True) if path.endswith("model.safetensors")]


def test_tables_equal_those_of_the_local_run_and_each_file_is_served_once(served):
    project, hub, local, model = served
    project.configure(models={"tiny-seed0": model})
    project.run()
    for table in TABLES:
        for step in STEPS:
            assert rows(project.folder / "results", table, step).equals(rows(local, table, step)), (table, step)
    assert len(weights_served(hub)) == len(set(weights_served(hub))) == len(STEPS)


def test_faults_of_transport_are_survived_and_faults_of_data_are_named(served):
    project, hub, local, model = served
    hub.faults += [
        Fault(r"GET .*/step0/model.safetensors", times=2, status=503),
        Fault(r"GET .*/step2/model.safetensors", status=429, headers={"Retry-After": "1"}),
        Fault(r"GET /cdn.*/step2/model.safetensors", cut=20_000),
        Fault(r"GET /cdn.*/step4/model.safetensors", flip=True),
    ]
    project.configure(models={"tiny-seed0": {**model, "steps": [*STEPS, 8]}})
    project.run()
    results = project.folder / "results"
    verdicts = {row["step"]: row for row in load_integrity(results).to_pylist()}
    assert [verdicts[step]["quarantined"] for step in (0, 2, 4, 8)] == [False, False, False, True]
    assert verdicts[8]["status"] == "missing"
    assert "step8" in verdicts[8]["reason"]
    for step in STEPS:
        assert rows(results, "influence/heldout", step).equals(rows(local, "influence/heldout", step)), step
    assert sorted(set(load_timeline(results, "behaviour")["step"].to_pylist())) == STEPS
    # Step 2 was resumed where it was cut; step 4 came with a wrong byte and was served whole a second time.
    times = Counter(path.split("/")[-2] for path in weights_served(hub))
    assert times == {"step0": 1, "step4": 2}
