"""The shipped files: short, on top of one file that says how things are measured."""

import pytest

from tools.configuration import ROOT, read_config, read_yaml

LAYERS = {
    "config": ["config/config.yaml"],
    "study": ["config/study.yaml"],
    "tour": ["config/tour.yaml"],
    "pythia": ["config/pythia.yaml"],
    "own-model": ["config/own-model.yaml"],
    "seed-papers": ["config/config.yaml", "config/seed-papers.yaml"],
}
FILES = sorted(ROOT.glob("config/*.yaml"))


def test_every_file_is_tried():
    assert {path.stem for path in FILES} == {*LAYERS, "analysis"}


@pytest.mark.parametrize("name", LAYERS)
def test_every_shipped_configuration_is_accepted(name):
    assert read_config(*LAYERS[name])["probe"]["engine"] == "certified"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_editors_find_the_schema(path):
    mark, _, schema = path.read_text().splitlines()[0].partition("=")
    assert mark == "# yaml-language-server: $schema"
    assert (path.parent / schema).is_file()


def test_a_model_of_ones_own_takes_fewer_than_ten_lines():
    lines = (ROOT / "config/own-model.yaml").read_text().splitlines()
    assert 0 < sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines) < 10
    (model,) = read_config("config/own-model.yaml")["models"].values()
    assert (model["source"], model["steps"]) == ("folder", "found")


def repeated(upper: object, lower: object, place: str = ""):
    """Places at which an upper layer says what a lower one says."""
    if not (isinstance(upper, dict) and isinstance(lower, dict)):
        return [place] if upper == lower else []
    return [p for key in upper.keys() & lower.keys() for p in repeated(upper[key], lower[key], f"{place}.{key}")]


def test_the_search_for_repetitions_finds_one():
    assert repeated({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}) == [".a.b"]


@pytest.mark.parametrize("name", LAYERS)
def test_no_file_says_again_how_things_are_measured(name):
    assert repeated(read_yaml(f"config/{name}.yaml"), read_yaml("config/analysis.yaml")) == []


def test_the_seed_studies_add_panels_by_the_token_read_and_change_nothing():
    default, seeds = (read_config(*LAYERS[name]) for name in ("config", "seed-papers"))
    added = {name: panel for name, panel in seeds["panels"].items() if name not in default["panels"]}
    assert {**seeds, "panels": {n: p for n, p in seeds["panels"].items() if n not in added}} == default
    assert {panel["token_role"] for panel in added.values()} == {"input"}
    assert list(seeds["panels"])[: len(default["panels"])] == list(default["panels"])
