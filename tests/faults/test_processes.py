"""Faults of processes on one computer: two runs at once, and a worker that is killed."""

import shutil
import textwrap

import pytest

from tests.faults.runs import HOLD, SPECTRA, forget_spectra, held, let_go, plant, started, wait_until_held
from tests.slurm.processes import wait_for

pytestmark = pytest.mark.faults


def test_a_second_snakemake_is_refused_and_the_first_is_unharmed(project, finished):
    forget_spectra(project)
    plant(project, "spectra", HOLD)
    with started(project, SPECTRA) as run:
        wait_until_held(project, run, 1)
        out = project.run(SPECTRA, expect=1).stdout
        assert "Directory cannot be locked" in out
        assert "--unlock" in out
        let_go(project)
        run.ends_with(0)
    assert project.tables() == finished.tables()


# Training stops in the midst of writing its first checkpoint.
HOLD_SAVING = f"""
import rare_neurons.models.pretraining as training
save = training._save

def held_save(*given):
    save(*given)
{textwrap.indent(HOLD, "    ")}
training._save = held_save
"""


def test_a_training_that_outlives_its_snakemake_does_not_meet_its_successor(project, finished):
    def weights(of):
        return {
            path.parent.name: path.read_bytes() for path in of.folder.glob("results/pretrain/*/step*/*.safetensors")
        }

    shutil.rmtree(project.folder / "results/pretrain")
    plant(project, "pretrain", HOLD_SAVING)
    target = "results/pretrain/tiny-seed0/recipe.json"
    with started(project, target) as first:
        wait_until_held(project, first, 1)
        first.process.kill()
        first.process.wait()
        project.run("--unlock")
        with started(project, target) as second:
            wait_for(lambda: "waiting for its end" in second.output(), "second training", 150)
            assert len(held(project)) == 1
            let_go(project)
            second.ends_with(0)
    assert len(weights(finished)) == 3
    assert weights(project) == weights(finished)


# The second table is killed by a real SIGKILL when half of it is on the disk.
KILLED_WHILE_WRITING = """
import os, signal
import pyarrow.parquet as pq
whole = pq.write_table

def half(table, path, **options):
    whole(table, path, **options)
    if "fingerprint" in str(path) and snakemake.wildcards.step == "2" and not os.path.exists("killed.txt"):
        with open("killed.txt", "w") as file:
            file.write(str(path))
        os.truncate(path, os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

pq.write_table = half
"""


def test_a_worker_killed_while_writing_leaves_nothing_that_counts(project, finished):
    forget_spectra(project)
    plant(project, "spectra", KILLED_WHILE_WRITING)
    project.run(SPECTRA, expect=1)
    half = project.folder / (project.folder / "killed.txt").read_text()
    assert half.name.endswith(".part")
    assert half.stat().st_size > 0
    lacking = finished.tables().keys() - project.tables().keys()
    assert {"spectra/tiny-seed0/step2.parquet", "fingerprint/tiny-seed0/step2.parquet"} <= lacking
    assert project.tables().items() <= finished.tables().items()
    project.run(SPECTRA)
    assert project.tables() == finished.tables()
    assert not half.exists()
