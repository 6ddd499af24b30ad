"""Where the workflow's files are."""

import pytest

from rare_neurons import house as module
from rare_neurons.errors import RequestError
from rare_neurons.house import LOWEST, SCHEMA, SNAKEFILE, file_of_house, house


def test_a_checkout_is_its_own_house():
    assert house() == module._CHECKOUT
    for name in (SNAKEFILE, LOWEST, SCHEMA, "profiles/default/config.yaml", "config/tour.yaml"):
        assert file_of_house(name).is_file()


def test_the_copy_in_an_installed_package_comes_first(tmp_path, monkeypatch):
    for name in (SNAKEFILE, SCHEMA):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(module, "_PACKED", tmp_path)
    assert house() == tmp_path
    with pytest.raises(RequestError, match=r"no config/analysis\.yaml in .*; install the package again"):
        file_of_house(LOWEST)


def test_a_package_without_its_files_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PACKED", tmp_path)
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path / "none")
    with pytest.raises(RequestError, match="install the package's wheel, or use a checkout"):
        house()
