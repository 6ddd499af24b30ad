"""The README's Python is run on a finished pipeline."""

import os
import re

import pytest

from tests.workflow.project import ROOT

pytestmark = pytest.mark.pipeline


def test_the_python_of_the_readme_runs(project, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    code = code.replace("embedded-seed0", "tiny-seed0").replace('"embedded"', '"tiny"').replace("steps=1000", "steps=4")
    monkeypatch.chdir(project.folder)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    assert list(names["loss"].columns) == ["model", "step", "loss"]
    assert len(names["loss"]) == 3
    assert len(names["last"]) == 64
    assert os.path.getsize("curves.svg") > 1000
