"""Results of the finished run, to look at and to spoil, and what their configuration asks for."""

import shutil
from pathlib import Path

import pytest
import yaml

from rare_neurons.configuration import complete_config
from rare_neurons.origins.asked import Asked, steps_asked
from tests.workflow.project import CONFIG, Project
from tools.configuration import SCHEMA, read_yaml


def ask(**sections: object) -> Asked:
    """What the tiny project asks for, some sections changed."""
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), CONFIG, sections)
    return Asked(config, steps_asked(config))


@pytest.fixture
def asked() -> Asked:
    return ask()


@pytest.fixture
def results(finished: Project, tmp_path: Path) -> Path:
    """A copy of the finished run's results alone."""
    folder = tmp_path / "results"
    skip = shutil.ignore_patterns("figures", "logs", ".known.json")
    shutil.copytree(finished.folder / "results", folder, ignore=skip)
    noted = yaml.safe_load((folder / "config.yaml").read_text())
    assert noted == ask().config
    return folder
