"""The wheel, installed where there is no checkout: reading results with two packages, and a whole run.

Needs a package index; of what measures, the packages of this environment serve.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from rare_neurons.house import LOWEST, SCHEMA, SNAKEFILE
from tests.workflow.project import ROOT

pytestmark = pytest.mark.package


def call(*words: object, folder: Path, path: str = os.environ["PATH"]) -> str:
    """Run a command in a folder, without what this process has on its path of modules."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | {"PATH": path}
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def environment(folder: Path) -> Path:
    """Make an environment; returns its folder of programs."""
    call(sys.executable, "-m", "venv", folder, folder=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_carries_the_workflow_and_names_its_pythons(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    tracked = call("git", "ls-files", "workflow", "profiles", "config", folder=ROOT).split()
    house = {f"rare_neurons/_house/{name}" for name in (*tracked, SNAKEFILE)}
    assert house == {name for name in names if name.startswith("rare_neurons/_house/")}
    assert {f"rare_neurons/_house/{name}" for name in (SNAKEFILE, LOWEST, SCHEMA)} <= names
    assert "snakemake_logger_plugin_rare_neurons/__init__.py" in names
    for version in ("3.11", "3.12", "3.13"):
        assert f"Classifier: Programming Language :: Python :: {version}\n" in metadata
    for heavy in ("torch", "snakemake", "weightwatcher"):
        lines = [line for line in metadata.splitlines() if line.startswith(f"Requires-Dist: {heavy}")]
        assert lines
        assert all("extra ==" in line for line in lines)


def test_results_are_read_with_pyarrow_and_pandas_alone(wheel, finished, tmp_path):
    bin_ = environment(tmp_path / "light")
    call(bin_ / "python", "-m", "pip", "install", "--quiet", "pyarrow", "pandas", folder=tmp_path)
    call(bin_ / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, folder=tmp_path)
    code = (
        "import sys, rare_neurons\n"
        f"loss = rare_neurons.load_timeline({str(finished.folder / 'results')!r}, 'behaviour', stratum='rare')\n"
        "print(len(loss), sorted({'torch', 'snakemake', 'xxhash', 'matplotlib'} & set(sys.modules)))"
    )
    assert call(bin_ / "python", "-c", code, folder=tmp_path).split() == ["3", "[]"]


def test_a_whole_run_in_an_empty_folder(wheel, tmp_path):
    bin_ = environment(tmp_path / "whole")
    (site,) = (tmp_path / "whole/lib").glob("python*/site-packages")
    (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    call(bin_ / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel, folder=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    path = f"{bin_}{os.pathsep}/usr/bin{os.pathsep}/bin"
    assert "rare-neurons run" in call(bin_ / "rare-neurons", "init", folder=empty, path=path)
    shown = call(bin_ / "rare-neurons", "run", "--cores", "2", folder=empty, path=path)
    assert "5 of 5" in shown
    assert "Full log: " in shown
    assert (empty / "results/summary.txt").is_file()
    assert "all as asked" in call(bin_ / "rare-neurons", "check", folder=empty, path=path)
    assert "Nothing to be done" in call(bin_ / "rare-neurons", "run", folder=empty, path=path)
