"""One run over a repository with every planted fault: each bad step is named, each good one is measured right."""

import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits

from rare_neurons import load_integrity, load_timeline
from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.sources import Source, resolve
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.probe import OUTPUTS, write_probe
from rare_neurons.stages.spectra import write_spectra
from tests.hub.revisions import load_weights, save_weights
from tests.hub.server import Fault, serve
from tests.workflow.project import CONFIG, make_project
from tools.configuration import read_config

pytestmark = pytest.mark.pipeline

SPECTRA = ("spectra", "eigenvalues", "fingerprint")
GOOD = [0, 1, 2, 8, 24, 40, 56, 88, 104, 120, 160]
LATE = 157  # trained, but no revision of its own
# Revision -> the step whose weights it serves.
BORROWED = {1: 0, 2: 0, 16: 88, 32: LATE, 64: 160, 72: 160, 80: 160}
FLIPPED, CUT_AT_SOURCE, NAN, LACKING, MISSING = 96, 112, 128, 136, 144
SPOILT = (FLIPPED, CUT_AT_SOURCE, NAN, LACKING)
BAD = {
    16: ("duplicate", "serves the weights of step 88"),
    32: ("detour", "limit 2"),
    **dict.fromkeys((64, 72, 80), ("equal_to_final", "serves the weights of the final step 160")),
    FLIPPED: ("bad_checkpoint", "other content than its listing says (digest differs), twice: the source is bad"),
    CUT_AT_SOURCE: ("bad_checkpoint", "truncated at the source"),
    NAN: ("non_finite", "1 tensors hold NaN or infinite entries"),
    LACKING: ("bad_checkpoint", "mlp.dense_h_to_4h.weight"),
    MISSING: ("missing", "no revision step144"),
}
W_IN = "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"
WEIGHTS = r"GET /cdn/.*/step{}/model\.safetensors"


def transport_faults(size: int) -> list[Fault]:
    """Faults on the way of good steps, and the two faults of a source."""
    return [
        Fault(WEIGHTS.format(8), times=2, status=503),
        Fault(WEIGHTS.format(24), status=429, headers={"Retry-After": "1"}),
        Fault(WEIGHTS.format(40), cut=int(0.6 * size)),
        Fault(WEIGHTS.format(56), stall=4.0),
        Fault(WEIGHTS.format(104), flip=True),
        Fault(WEIGHTS.format(FLIPPED), times=100, flip=True),
        Fault(WEIGHTS.format(CUT_AT_SOURCE), times=100, truncate=size // 2),
    ]


@pytest.fixture(autouse=True)
def one_thread():
    """As in a job: sums of two threads differ in the last digit."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project with a panel, and the folder of the checkpoints of a run of 160 steps."""
    recipe = {**CONFIG["recipes"]["tiny"], "n_steps": 160}
    panel = {**CONFIG["panels"]["heldout"], "targets_per_stratum": 60}
    steps = sorted({step for step in (*GOOD, LATE, *SPOILT) if step not in BORROWED})
    model = {**CONFIG["models"]["tiny-seed0"], "steps": steps}
    project = make_project(
        tmp_path_factory.mktemp("faults") / "project",
        recipes={"tiny": recipe},
        panels={"heldout": panel},
        models={"tiny-seed0": model},
    )
    project.hurry()
    project.run("results/pretrain/tiny-seed0/recipe.json")
    shutil.move(project.folder / "results/pretrain/tiny-seed0", project.folder / "trained")
    return project


def serve_with_faults_of_content(trained: Path, repository: Path) -> None:
    """Revisions of a repository, some of which are not what their names say."""
    for step in (*GOOD, *BORROWED, *SPOILT):
        shutil.copytree(trained / f"step{BORROWED.get(step, step)}", repository / f"step{step}", dirs_exist_ok=True)
    tensors = load_weights(trained / f"step{NAN}")
    tensors[W_IN][0, 0] = float("nan")
    save_weights(tensors, repository / f"step{NAN}")
    tensors = load_weights(trained / f"step{LACKING}")
    del tensors[W_IN]
    save_weights(tensors, repository / f"step{LACKING}")


@pytest.fixture(scope="module")
def faulty(trained, tmp_path_factory):
    """The run, and the hub with the log of what it served."""
    folder = tmp_path_factory.mktemp("hub")
    serve_with_faults_of_content(trained.folder / "trained", folder / "lab/run")
    model = {"source": "hub", "repo": "lab/run", "revision": "step{step}", "tokenizer": "bpe", "n_neurons": 64}
    steps = sorted({*GOOD, *BAD})
    spectra = {**trained.configure()["spectra"], "refits": 0, "shuffles": 0, "likelihood_ratios": False}
    panel = {**CONFIG["panels"]["heldout"], "targets_per_stratum": 60}
    rest = {
        "panels": {"heldout": panel},
        "spectra": spectra,
        "layers": {"steps": "none"},
        "allocation": {"steps": "none"},
    }
    trained.configure(models={"run": {**model, "steps": steps}}, **rest)
    with serve(folder) as hub:
        hub.faults += transport_faults((folder / "lab/run/step8/model.safetensors").stat().st_size)
        trained.variables = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "2",
        }
        tables = ("influence", "behaviour", "spectra")
        trained.run(*(f"results/timelines/{table}/run.parquet" for table in tables))
        yield trained, hub


def test_every_bad_step_has_its_status_and_reason_and_the_good_ones_none(faulty):
    project, _ = faulty
    verdicts = {row["step"]: row for row in load_integrity(project.folder / "results", format="arrow").to_pylist()}
    assert sorted(verdicts) == sorted({*GOOD, *BAD})
    for step in GOOD:
        assert (verdicts[step]["status"], verdicts[step]["quarantined"]) == (
            "unchanged" if step in (0, 1, 2) else "ok",
            False,
        ), verdicts[step]
    for step, (status, reason) in BAD.items():
        assert verdicts[step]["quarantined"], verdicts[step]
        assert verdicts[step]["status"] == status
        assert reason in verdicts[step]["reason"]


def test_good_steps_have_the_tables_of_a_local_run(faulty, tmp_path):
    project, _ = faulty
    results = project.folder / "results"
    config = read_config(project.folder / "config/config.yaml")
    cache = {"folder": str(tmp_path / "cache"), "disk_gb": 1}
    source = Source("folder", str(project.folder / "trained/step{step}"))
    for step in GOOD:
        trained = BORROWED.get(step, step)
        manifest = tmp_path / f"step{step}.json"
        write_manifest(resolve("run", trained, source), manifest)
        outputs = {name: str(tmp_path / f"{name}{step}.parquet") for name in (*OUTPUTS, *SPECTRA)}
        write_probe(
            {name: [outputs[name]] for name in OUTPUTS},
            {
                "contexts": str(results / "panel/heldout/contexts.parquet"),
                "targets": str(results / "panel/heldout/targets.parquet"),
                "unigram": str(results / "corpus/texts/bpe/unigram.parquet"),
                "tokenizer": str(results / "tokenizer/bpe/tokenizer.json"),
            },
            manifests=[str(manifest)],
            panel="heldout",
            rules=config["panels"]["heldout"]["strata"],
            options=config["probe"],
            place=Workplace(cache),
        )
        write_spectra(
            {name: [outputs[name]] for name in SPECTRA},
            manifests=[str(manifest)],
            place=Workplace(cache),
            options=config["spectra"],
            n_projections=config["integrity"]["n_projections"],
        )
        for name, path in outputs.items():
            place = f"{name}/heldout/run" if name in OUTPUTS else f"{name}/run"
            found = pq.read_table(results / place / f"step{step}.parquet")
            assert found.num_rows > 0
            expected = pq.read_table(path)
            for column in expected.schema.names:
                if column != "step":  # 1 and 2 serve step 0
                    assert found[column].equals(expected[column]), (step, name, column)


def test_bad_steps_have_empty_tables_with_the_full_schema_and_enter_no_timeline(faulty):
    project, _ = faulty
    results = project.folder / "results"
    whole = pq.read_schema(results / "influence/heldout/run/step8.parquet")
    for step in (FLIPPED, CUT_AT_SOURCE, LACKING, MISSING):
        table = pq.read_table(results / f"influence/heldout/run/step{step}.parquet")
        assert (table.num_rows, table.schema.names) == (0, whole.names)
    assert sorted(set(load_timeline(results, "behaviour").step)) == GOOD


def test_no_file_is_served_whole_twice_but_once_after_a_wrong_digest(faulty):
    _, hub = faulty
    whole = Counter(path.split("/")[-2] for path in hub.downloads(whole=True) if path.endswith(".safetensors"))
    # A server that ends early serves its whole body, so the truncated source counts twice as well.
    assert {step for step, times in whole.items() if times > 1} == {"step104", f"step{FLIPPED}", f"step{CUT_AT_SOURCE}"}
    assert max(whole.values()) == 2
    served = {
        hub.digest(hub.root / path.removeprefix("/cdn/")) for path in hub.downloads(whole=True) if "/cdn/" in path
    }
    assert len(served) == len(whole)  # branches with equal files were fetched once
    resumed = [entry for entry in hub.bodies() if entry.range and "/step40/" in entry.path]
    assert len(resumed) == 1
    small = Counter(path for path in hub.downloads(whole=True) if not path.endswith(".safetensors"))
    assert max(small.values()) == 1
