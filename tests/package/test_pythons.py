"""The lock and the smallest workflow with every later Python that the package says it runs on.

Needs a package index, and the Python: on the search path or among those of pyenv.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflow.project import CONFIG, ROOT, make_project

pytestmark = pytest.mark.package
VERSIONS = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
LEFT_OUT = ("layers", "activity", "allocation")  # at declared checkpoints: here none


def find_python(version: str) -> str | None:
    """Return a program of that Python which starts; a shim of pyenv may not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    for program in map(str, filter(None, found)):
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.startswith(f"Python {version}."):
            return program
    return None


def call(*words: object, folder: Path, **variables: str) -> str:
    """Run a command in a folder, without this process's path of modules."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | variables
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def can_be_had(program: str, folder: Path) -> bool:
    """Whether the package index answers with a locked wheel for that Python: some indexes have those of one alone."""
    (pinned,) = re.findall(r"^numpy==[^ ]+", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    asked = ("download", "--quiet", "--no-deps", "--only-binary=:all:", "--retries=1", "--timeout=30", pinned)
    done = subprocess.run([program, "-m", "pip", *asked], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_the_lock_installs_and_the_smallest_workflow_runs(version, tmp_path):
    program = find_python(version)
    if program is None:
        pytest.skip(f"no Python {version} on the search path or in pyenv")
    if not can_be_had(program, tmp_path):
        pytest.skip(f"the package index has no wheels for Python {version}, or does not answer")
    call(program, ROOT / "tools/install.py", tmp_path / "venv", folder=tmp_path)
    python = tmp_path / "venv/bin/python"
    assert call(python, "--version", folder=tmp_path).startswith(f"Python {version}.")
    project = make_project(tmp_path / "project", **{name: CONFIG[name] | {"steps": "none"} for name in LEFT_OUT})
    path = os.pathsep.join(map(str, (project.folder / "src", ROOT)))
    shown = call(python, "-m", "tools.inside", "--cores", "1", folder=project.folder, PYTHONPATH=path)
    assert "(100%) done" in shown
    for made in ("summary.txt", "usable.txt", "atlas.html", "timelines/onsets/tiny.parquet"):
        assert (project.folder / "results" / made).is_file(), made
    checked = call(
        python, "-m", "rare_neurons.check", "results", folder=project.folder, PYTHONPATH=str(project.folder / "src")
    )
    assert "all as asked" in checked
