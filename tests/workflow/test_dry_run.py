"""A dry run of a large sweep: every job is planned, and nothing heavy is imported (each cluster job parses again)."""

import subprocess
import sys
from collections import Counter

import pytest

from tests.workflow.project import RULE, make_project

pytestmark = pytest.mark.pipeline

RUN = """
import runpy, sys
sys.argv = ["snakemake", "--cores", "1", "-n"]
try:
    runpy.run_module("snakemake", run_name="__main__")
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = sorted({"torch", "transformers", "datasets", "matplotlib", "weightwatcher"} & set(sys.modules))
print("heavy imports:", heavy)
"""


def test_every_checkpoint_of_a_sweep_is_planned_and_nothing_heavy_imported(tmp_path):
    project = make_project(tmp_path / "project")
    hub = {"source": "hub", "repo": "owner/name", "revision": "step{step}", "tokenizer": "bpe", "steps": "pythia-all"}
    project.configure(models={"model": hub})
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=project.folder, env=project.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "heavy imports: []" in done.stdout
    jobs = Counter(RULE.findall(done.stdout + done.stderr))
    measured = ("resolve", "probe", "spectra", "metrics")
    assert {rule: jobs[rule] for rule in measured} == dict.fromkeys(measured, 154)
