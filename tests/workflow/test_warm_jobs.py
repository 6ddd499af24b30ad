"""Jobs of a run of one's own are forked from one process, or started as Snakemake starts them, and write the same."""

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.pipeline

SHORT = ("summary", "usable")
TELL = "import os\nprint(os.getppid(), file=open('parents.txt', 'a'))\n"


@pytest.mark.parametrize(("warm", "parents"), [(True, 1), (False, 2)])
def test_jobs_have_one_parent_or_a_shell_each(project: Project, warm: bool, parents: int):
    kept = {f"results/{name}.txt": (project.folder / f"results/{name}.txt").read_bytes() for name in SHORT}
    for path in kept:
        (project.folder / path).unlink()
    for name in SHORT:
        script = project.folder / f"workflow/scripts/{name}.py"
        script.write_text(TELL + script.read_text())
    project.configure(jobs={"warm": warm})
    project.run(*kept, own_processes=True)
    assert {path: (project.folder / path).read_bytes() for path in kept} == kept
    found = (project.folder / "parents.txt").read_text().split()
    assert (len(found), len(set(found))) == (2, parents)
