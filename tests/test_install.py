"""What the installation asks of uv and pip; the environment that runs these tests was made by it."""

import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import install
from tools.install import ROOT, has_digest, sources_of, uv_sources, wanted_lines

PYTHONS = ("3.11", "3.12", "3.13")  # of pyproject.toml
LOCK = "# One tested set.\nnumpy==2.4.6\ntorch==2.13.0\ntorchmetrics==1.0\n"
LISTED = """\
:env:.find-links='/wheels'
global.cert='/etc/ca.crt'
global.extra-index-url='https://a/simple https://b/simple'
global.find-links='/elsewhere'
"""


def test_the_lock_is_taken_as_it_is():
    assert wanted_lines(LOCK, []) == LOCK.splitlines()


def test_a_requirement_and_its_digests_are_one_line():
    lock = "a==1 \\\n    --hash=sha256:12 \\\n    --hash=sha256:34\nb==2\n"
    assert wanted_lines(lock, []) == ["a==1 --hash=sha256:12 --hash=sha256:34", "b==2"]
    assert wanted_lines(lock, ["a==3"]) == ["b==2", "a==3"]


def test_all_that_is_locked_has_digests_but_torch():
    lines = [line for line in wanted_lines((ROOT / "requirements.lock").read_text(), []) if not line.startswith("#")]
    assert [line.split("==")[0] for line in lines if not has_digest(line)] == ["torch"]
    assert len(lines) > 100


def test_what_is_compiled_for_one_python_has_the_digests_of_others_too():
    """A lock from an index that offers files of one Python alone cannot be installed with another."""
    lock = (ROOT / "requirements.lock").read_text()
    digests = {line.split("==")[0]: line.count("--hash=") for line in wanted_lines(lock, []) if has_digest(line)}
    tags = {one.name.lower().replace("_", "-"): one.read_text("WHEEL") or "" for one in distributions()}
    compiled = [name for name in digests if re.search(r"^Tag: cp\d+-cp\d+-", tags.get(name, ""), re.MULTILINE)]
    assert "numpy" in compiled
    assert [name for name in compiled if digests[name] < len(PYTHONS)] == []


def test_another_build_of_one_package_replaces_its_line_and_no_other():
    found = wanted_lines(LOCK, ["torch==2.13.0+cu130 --extra-index-url https://x/cu130"])
    assert found == [
        "--extra-index-url https://x/cu130",
        *("# One tested set.", "numpy==2.4.6", "torchmetrics==1.0"),
        "torch==2.13.0+cu130",
    ]


def test_sources_of_pip_are_passed_on_and_the_environment_counts_most():
    assert uv_sources(sources_of(LISTED)) == [
        *("--find-links", "/wheels"),
        *("--extra-index-url", "https://a/simple"),
        *("--extra-index-url", "https://b/simple"),
    ]


@pytest.mark.parametrize(("value", "options"), [("true", ["--no-index"]), ("false", [])])
def test_a_computer_without_an_index_says_so(value, options):
    assert uv_sources(sources_of(f"global.no-index='{value}'")) == options


@pytest.mark.parametrize("has_uv", [True, False])
def test_a_second_environment_on_the_same_checkout_is_all_that_is_written_to(tmp_path, monkeypatch, has_uv):
    calls = []

    def run(words: list, **_: object) -> SimpleNamespace:
        calls.append([str(word) for word in words])
        return SimpleNamespace(stdout="")

    second = tmp_path / "second"
    second.mkdir()
    monkeypatch.setattr(install.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["install.py", str(second)])
    monkeypatch.setattr(install, "find_uv", lambda python: ["uv"] if has_uv else None)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    install.main()
    own = str(second / "bin/python")
    installs = [words for words in calls if "install" in words]
    assert len(installs) == 3
    for words in installs:
        assert words[words.index("--python") + 1] == own if has_uv else words[0] == own
    assert [words[-1] for words in installs if "--editable" in words] == [str(ROOT)]


def test_make_with_another_environment_names_no_other():
    done = subprocess.run(
        ["make", "--dry-run", "env", "plan", "VENV=elsewhere/second"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tools/install.py elsewhere/second" in done.stdout
    assert ".venv" not in done.stdout
    assert not Path(ROOT / "elsewhere").exists()
