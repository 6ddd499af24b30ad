"""The whole pipeline on revisions of a Hub: the real client against a server on the loopback interface."""

import re
import shutil
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
from huggingface_hub import snapshot_download

from rare_neurons import load_integrity, load_timeline
from rare_neurons.checkpoints.schedules import steps_of
from tests.hub.server import Fault, serve
from tests.workflow.project import NO_FIGURES, OF_TEXT, make_project
from tools.configuration import read_config

pytestmark = pytest.mark.pipeline

STEPS = [0, 2, 4]
NOWHERE = "http://127.0.0.1:9"  # the port of a service that nobody runs
TABLES = (
    "influence/heldout",
    "cells/heldout",
    "moments/heldout",
    "behaviour/heldout",
    "regimes/heldout",
    "spectra",
    "fingerprint",
)


@pytest.fixture
def served(project, tmp_path):
    """The finished run's checkpoints as revisions, and a project that knows them from the Hub alone."""
    project.hurry()
    local = tmp_path / "local"
    shutil.move(project.folder / "results", local)
    for table in OF_TEXT:
        shutil.copytree(local / table, project.folder / "results" / table)
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


def equal_to_local(project, local) -> None:
    for table in TABLES:
        for step in STEPS:
            assert rows(project.folder / "results", table, step).equals(rows(local, table, step)), (table, step)


def rows(results, table, step):
    return pq.read_table(results / f"{table}/tiny-seed0/step{step}.parquet").replace_schema_metadata()


def weights_served(hub) -> list[str]:
    return [path for path in hub.downloads(whole=True) if path.endswith("model.safetensors")]


def test_tables_equal_those_of_the_local_run_and_a_small_cache_fetches_each_file_once(served):
    project, hub, local, model = served
    size = sum(path.stat().st_size for path in (hub.root / "lab/tiny/step0").iterdir())
    room = {"folder": "cache", "disk_gb": 2.2 * size / 1e9}  # for two of the three
    # An account of the loss needs both ends of its interval, the first of which has made room by then.
    project.configure(models={"tiny-seed0": model}, cache=room, allocation={"steps": "none"})
    project.run(*NO_FIGURES)
    equal_to_local(project, local)
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
    project.run("results/timelines/behaviour/tiny-seed0.parquet")
    results = project.folder / "results"
    verdicts = {row["step"]: row for row in load_integrity(results, format="arrow").to_pylist()}
    assert [verdicts[step]["quarantined"] for step in (0, 2, 4, 8)] == [False, False, False, True]
    assert verdicts[8]["status"] == "missing"
    assert "step8" in verdicts[8]["reason"]
    for step in STEPS:
        assert rows(results, "influence/heldout", step).equals(rows(local, "influence/heldout", step)), step
    assert sorted(set(load_timeline(results, "behaviour").step)) == STEPS
    # Step 2 was resumed where it was cut; step 4 came with a wrong byte and was served whole a second time.
    times = Counter(path.split("/")[-2] for path in weights_served(hub))
    assert times == {"step0": 1, "step4": 2}


def test_a_server_that_keeps_failing_fails_its_jobs_alone_and_later_runs_fetch_what_is_not_there(served):
    project, hub, local, model = served
    hub.faults.append(Fault(r"GET /cdn.*/step2/model.safetensors", times=10**6, status=503))
    project.configure(models={"tiny-seed0": model})
    out = project.run(expect=1).stdout
    assert "model.safetensors of lab/tiny at step2" in out
    assert "the server answered 503 in 6 tries; connect to the network" in out
    results = project.folder / "results"
    for step in (0, 4):
        assert rows(results, "influence/heldout", step).equals(rows(local, "influence/heldout", step))
    assert not list(results.glob("*/**/step2.parquet"))

    hub.faults.clear()
    project.run(*NO_FIGURES)
    equal_to_local(project, local)
    assert sorted(path.split("/")[-2] for path in weights_served(hub)) == ["step0", "step2", "step4"]

    # Another version of spectra reads all weights again; the cache has lost those of one step meanwhile.
    digest = hub.digest(hub.root / "lab/tiny/step0/model.safetensors")
    (project.folder / "cache/blobs" / digest).unlink()
    before = len(hub.downloads())
    project.raise_version("spectra")
    jobs = project.rules_run("results/timelines/spectra/tiny-seed0.parquet")
    assert (jobs["spectra"], jobs["probe"], jobs["resolve"]) == (3, 0, 0)
    assert hub.downloads()[before:] == ["/cdn/lab/tiny/step0/model.safetensors"]
    assert rows(results, "spectra", 0).equals(rows(local, "spectra", 0))


def test_the_plan_is_printed_without_a_download_and_a_filled_cache_needs_no_network(served):
    project, hub, local, model = served
    shutil.copytree(hub.root / "lab/tiny/step0", hub.root / "lab/tiny/step1")
    counts = pq.read_table(local / "corpus/texts/bpe/unigram.parquet")["count"].to_numpy()
    np.save(project.folder / "counts.npy", np.pad(counts, (0, 48)))
    corpora = {"texts": {**project.configure()["corpora"]["texts"], "unigram_counts": "counts.npy"}}
    project.configure(models={"tiny-seed0": {**model, "steps": [*STEPS, 1, 8]}}, corpora=corpora)
    out = project.run("plan").stdout
    assert re.search(r"tiny-seed0 +│ +5 +│ +4 +│ unchanged 0, 1 +│ +0 +│ +0\.4", out), out
    assert "tiny-seed0 step 8: no revision step8 among the 4 of lab/tiny" in out
    assert re.search(r"To fetch: 0\.4\d MB\. Disk at peak: 0\.4\d MB \(cache\.disk_gb: 1\)", out)
    assert re.search(r"Cost: about \d+ core-seconds \(.*probe \d+", out), out
    assert re.search(r"Panel heldout: [\d,]+ contexts, 450 targets", out), out
    assert re.search(r"half the targets +│.*× 1\.\d\d", out), out
    assert hub.downloads() == []

    asked = len(hub.log)
    out = project.run("prefetch").stdout
    assert "4 checkpoints are in cache" in out
    digests = [hub.digest(hub.root / path.removeprefix("/cdn/")) for path in weights_served(hub)]
    assert len(digests) == len(set(digests)) == 3
    # Each revision was asked for once, by the plan at the start of the run; the missing one is looked for again.
    metadata = [entry.path for entry in hub.log[asked:] if "/revision/" in entry.path and "step8" not in entry.path]
    assert len(metadata) == len(set(metadata)) == 4

    project.variables["HF_ENDPOINT"] = NOWHERE
    project.run(*(f"results/spectra/tiny-seed0/step{step}.parquet" for step in STEPS))
    assert rows(project.folder / "results", "spectra", 4).equals(rows(local, "spectra", 4))


@pytest.mark.parametrize("target", ["plan", "all"])
def test_without_a_network_the_first_error_is_one_sentence_and_nothing_starts(served, target):
    project, _, _, model = served
    project.variables["HF_ENDPOINT"] = NOWHERE
    project.configure(models={"tiny-seed0": model})
    out = project.run(target, expect=1).stdout
    message = (
        "in 2 tries; connect to the network, or fetch the checkpoints beforehand where there is one, and run again"
    )
    assert message in out
    assert "Traceback" not in out
    assert target == "plan" or "rule " not in out
    assert not (project.folder / "results/manifest").exists()


def test_offline_with_the_hubs_own_cache_warm_runs_to_the_end_and_leaves_it_alone(served, tmp_path):
    project, hub, local, model = served
    for step in STEPS:
        snapshot_download("lab/tiny", revision=f"step{step}", cache_dir=tmp_path / "home/hub", endpoint=hub.url)

    def theirs():
        return {p: (p.lstat().st_size, p.lstat().st_mtime_ns) for p in (tmp_path / "home/hub").rglob("*")}

    before = theirs()
    project.variables |= {"HF_ENDPOINT": NOWHERE, "HF_HUB_OFFLINE": "1"}
    project.configure(models={"tiny-seed0": model})
    project.run(*NO_FIGURES)
    equal_to_local(project, local)
    assert theirs() == before
    assert list((project.folder / "cache").glob("blobs/*")) == []


def test_the_shipped_sweep_is_planned_from_one_request_per_checkpoint(tmp_path):
    project = make_project(tmp_path / "project")
    models = read_config("config/pythia.yaml")["models"]
    steps = {name: steps_of(entry["steps"]) for name, entry in models.items()}
    for name, entry in models.items():
        for step in steps[name]:
            folder = tmp_path / "hub" / entry["repo"] / entry["revision"].replace("{step}", str(step))
            folder.mkdir(parents=True)
            (folder / "config.json").write_text("{}")
            (folder / "model.safetensors").write_text(f"{name} {max(step, 2)}")
    n = sum(map(len, steps.values()))
    with serve(tmp_path / "hub") as hub:
        project.variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
        out = project.run("--configfile", "config/pythia.yaml", "--", "plan").stdout
        assert len([entry for entry in hub.log if entry.path.startswith("/api/models/")]) == n
        assert hub.downloads() == []
    for name in models:
        assert re.search(rf"{name} +│ +{len(steps[name])} +│ +{len(steps[name])} +│ unchanged 0, 1, 2", out), out
    jobs = project.rules_run("-n", "--configfile", "config/pythia.yaml")
    assert jobs["resolve"] == jobs["spectra"] == n
