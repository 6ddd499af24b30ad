"""Jobs of several checkpoints: the tables of jobs of one, and nothing measured twice."""

import os
import re

import pytest

from tests.workflow.project import CONFIG, NO_FIGURES, Project

pytestmark = pytest.mark.pipeline

TABLES = ("spectra", "influence/heldout", "regimes/heldout", "set_spectra/heldout")
SHARDS = [f"results/{table}/tiny-seed0/step4.parquet" for table in TABLES]
KILLED = {"spectra": SHARDS[0], "probe": SHARDS[1], "layers": "results/layer_audit/heldout/tiny-seed0/step4.parquet"}
"""A shard of each rule that is killed, in the fault suite."""
# Ends as a killed job does, after the tables of one more checkpoint are written.
FALL = """
import os, signal
import rare_neurons.stages.checkpoint_job as job
keep = job.Kept.keep
def keep_and_fall(self, outputs):
    keep(self, outputs)
    os.kill(os.getpid(), signal.SIGKILL)
job.Kept.keep = keep_and_fall
"""


def kept(project: Project) -> dict[str, int]:
    """Files of finished tables: one that is measured again is another file."""
    root = project.folder / "results/.kept"
    return {path.relative_to(root).as_posix(): path.stat().st_ino for path in root.rglob("*.parquet")}


def with_steps(steps):
    return {"tiny-seed0": CONFIG["models"]["tiny-seed0"] | {"steps": steps}}


def test_another_division_measures_nothing_again_and_ends_in_the_same_tables(project, finished):
    before = kept(project)
    # Tables of three checkpoints, of layers at two of them, of activity at one, and of one interval.
    assert len(before) == 3 * 14 + 2 * 3 + 7 + 2, sorted(before)
    project.configure(jobs={"checkpoints": 2})
    jobs = project.rules_run(*NO_FIGURES)
    assert (jobs["probe"], jobs["metrics"]) == (2, 2)
    assert kept(project) == before
    assert project.tables() == finished.tables()


def test_one_checkpoint_in_a_job_gives_the_tables_of_all_in_one(project, finished):
    project.configure(jobs={"checkpoints": 1})
    jobs = project.rules_run("--forcerun", "spectra", "probe", "metrics", *NO_FIGURES)
    assert (jobs["spectra"], jobs["probe"], jobs["metrics"]) == (3, 3, 3)
    assert project.tables() == finished.tables()


def test_what_is_forced_is_measured_again(project, finished):
    before = kept(project)
    project.run("--forcerun", "spectra_0_4", "--", SHARDS[0])
    after = kept(project)
    changed = {name.split("/")[0] for name in before if before[name] != after[name]}
    assert changed == {"spectra", "eigenvalues", "fingerprint"}
    assert project.tables() == finished.tables()


def test_a_new_step_repeats_none_of_the_others(finished, project):
    project.configure(models=with_steps([0, 4]))
    project.run(*SHARDS)
    before = kept(project)
    project.configure()
    project.run(*NO_FIGURES)
    after = kept(project)
    assert {name: after[name] for name in before} == before
    assert project.tables() == finished.tables()


@pytest.mark.faults
@pytest.mark.parametrize("script", KILLED)
def test_a_kill_repeats_at_most_one_checkpoint(project, finished, script):
    target = KILLED[script]
    for path in [*project.folder.glob("results/.kept/**/*.parquet"), *map(project.folder.joinpath, {*SHARDS, target})]:
        os.unlink(path)
    text = (project.folder / f"workflow/scripts/{script}.py").read_text()
    project.rewrite(f"workflow/scripts/{script}.py", '"""\n\n', f'"""\n{FALL}\n')
    for done in (1, 2):
        out = project.run("--rerun-triggers", "mtime", "--", target, expect=None, own_processes=True).stdout
        assert "Error in rule" in out
        steps = {re.search(r"step(\d+)", name)[1] for name in kept(project)}
        assert len(steps) == done, "each try goes on where the one before was killed"
    first = kept(project)
    (project.folder / f"workflow/scripts/{script}.py").write_text(text)
    project.run(*NO_FIGURES)
    after = kept(project)
    assert {name: after[name] for name in first} == first
    assert project.tables() == finished.tables()


def test_what_a_profile_asks_of_a_rule_holds_for_its_batches(project):
    out = project.run("-n", "--forcerun", "probe_0_4", "--set-resources", "probe:mem_mb=123", "--", SHARDS[1]).stdout
    (job,) = re.findall(r"rule probe_0_4:.*?resources: ([^\n]*)", out, re.DOTALL)
    assert "mem_mb=123" in job
