"""Jobs of a run of one's own are forked from one process, or started as Snakemake starts them, and write the same."""

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.pipeline

SHORT = ("summary", "usable")
TELL = """
import os
with open(f"/proc/{os.getppid()}/cmdline") as file, open("parents.txt", "a") as out:
    print(os.getppid(), "warm.py" in file.read(), file=out)
"""


@pytest.mark.parametrize("warm", [True, False])
def test_jobs_are_forked_from_one_process_if_they_may_be(project: Project, warm: bool):
    kept = {f"results/{name}.txt": (project.folder / f"results/{name}.txt").read_bytes() for name in SHORT}
    for path in kept:
        (project.folder / path).unlink()
    for name in SHORT:
        script = project.folder / f"workflow/scripts/{name}.py"
        script.write_text(TELL + script.read_text())
    project.configure(jobs={"warm": warm})
    project.run(*kept, own_processes=True)
    assert {path: (project.folder / path).read_bytes() for path in kept} == kept
    first, second = (line.split() for line in (project.folder / "parents.txt").read_text().splitlines())
    assert (first[1], second[1]) == (str(warm), str(warm))
    assert first[0] == second[0] or not warm
