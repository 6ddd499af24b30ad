"""Faults of processes on one computer: two runs at once, and a worker that is killed."""

import pytest

from tests.faults.runs import HOLD, SPECTRA, forget_spectra, let_go, plant, started, wait_until_held

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("local")]


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
