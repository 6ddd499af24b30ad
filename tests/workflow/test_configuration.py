"""Layers of the configuration as a run sees them: each way of naming files, a module, steps that are found."""

import json
import shutil

import pytest
from snakemake.cli import parse_config
from snakemake.settings.types import ConfigSettings

from tests.workflow.project import CONFIG, make_project
from tools.configuration import read_config

pytestmark = pytest.mark.pipeline

TELL = '\n\nPath("seen.json").write_text(json.dumps([config, STEPS]))\n'
MODULE = """
configfile: "mine.yaml"

module house:
    snakefile: "{house}/Snakefile"
    config: config

use rule * from house as house_*
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the workflow that writes down the configuration it has read."""
    project = make_project(tmp_path_factory.mktemp("layers") / "project")
    rules = project.folder / "workflow/rules/common.smk"
    text = rules.read_text().replace("\nimport gc\n", "\nimport gc\nimport json\n", 1)
    rules.write_text(text + TELL)
    (project.folder / "mine.yaml").write_text("probe: {batch_size: 64}\nregimes: {compare: []}\n")
    (project.folder / "other.yaml").write_text(json.dumps({**CONFIG, "results": "elsewhere"}))
    return project


def seen(project, *arguments: str) -> dict:
    """The configuration that a run has."""
    project.run("--list", *arguments)
    return json.loads((project.folder / "seen.json").read_text())[0]


def expected(project, *names: str) -> dict:
    return json.loads(json.dumps(read_config(*(project.folder / name for name in names))))


def test_a_bare_run_lies_on_how_things_are_measured(house):
    assert seen(house) == expected(house, "config/config.yaml")


def test_a_named_file_replaces_the_default(house):
    assert seen(house, "--configfile", "other.yaml") == expected(house, "other.yaml")


def test_named_files_are_layers_in_their_order(house):
    found = seen(house, "--configfile", "config/config.yaml", "mine.yaml")
    assert found == expected(house, "config/config.yaml", "mine.yaml")
    assert (found["probe"]["batch_size"], found["probe"]["engine"]) == (64, "certified")
    assert (found["regimes"]["compare"], found["regimes"]["n_bins"]) == ([], 12)


@pytest.mark.parametrize("files", [(), ("--configfile", "config/config.yaml", "mine.yaml")], ids=["default", "named"])
def test_keys_of_the_command_line_lie_on_top(house, files):
    found = seen(house, *files, "--config", "probe={engine: exact}", "results=there")
    assert (found["probe"]["engine"], found["probe"]["dtype"], found["results"]) == ("exact", "float32", "there")


def test_a_layer_without_what_it_lies_on_is_refused_in_sentences(house):
    out = house.run("--list", "--configfile", "mine.yaml", expect=1).stdout
    assert "section 'models' is missing, which the rules pretrain, resolve read; add it" in out
    assert "KeyError" not in out


def test_as_a_module_the_outer_configuration_lies_on_how_things_are_measured(house, tmp_path):
    outer = type(house)(tmp_path / "outer", {"PYTHONPATH": str(house.folder / "src")})
    outer.folder.mkdir()
    (outer.folder / "Snakefile").write_text(MODULE.format(house=house.folder))
    shutil.copytree(house.folder / "texts", outer.folder / "texts")
    (outer.folder / "mine.yaml").write_text(json.dumps({**CONFIG, "probe": {"batch_size": 7}}))
    jobs = outer.run("-n", "--", "house_all").stdout
    assert "house_probe" in jobs
    found = json.loads((outer.folder / "seen.json").read_text())[0]
    assert found == expected(outer, "mine.yaml")
    assert (found["probe"]["batch_size"], found["probe"]["engine"]) == (7, "certified")


def test_found_steps_are_those_of_the_folders_and_none_is_a_sentence(house):
    for step in (0, 20, 3):
        (house.folder / f"runs/m/checkpoint-{step}").mkdir(parents=True)
    model = {"source": "folder", "path": "runs/m/checkpoint-{step}", "tokenizer": "bpe", "n_neurons": 64}
    (house.folder / "own.yaml").write_text(json.dumps({**CONFIG, "models": {"m": model}}))
    house.run("--list", "--configfile", "own.yaml")
    assert json.loads((house.folder / "seen.json").read_text())[1] == {"m": [0, 3, 20]}
    model["path"] = "runs/m/step{step}"
    (house.folder / "own.yaml").write_text(json.dumps({**CONFIG, "models": {"m": model}}))
    out = house.run("--list", "--configfile", "own.yaml", expect=1).stdout
    assert "model m: steps: found, but no folder runs/m/step{step} has a number for {step}; runs/m holds" in out


def test_a_cluster_job_that_parses_again_sees_the_same(house):
    """With the arguments that Snakemake hands to its jobs: files in full, keys as Python writes them."""
    files, keys = ["config/config.yaml", "mine.yaml"], ["probe={engine: exact}", "results=there"]
    handed = ConfigSettings(config=parse_config(keys), configfiles=[house.folder / name for name in files])
    job = seen(house, "--configfiles", *map(str, handed.configfiles), "--config", *handed.config_args)
    assert job == seen(house, "--configfile", *files, "--config", *keys)
    assert job["probe"]["engine"] == "exact"


def test_a_dry_run_tells_what_is_not_there_and_leaves_the_devices_of_a_cluster_to_it(house):
    corpora = {"texts": {"source": "text", "paths": ["texts/*.md"]}}
    (house.folder / "absent.yaml").write_text(
        json.dumps({**CONFIG, "corpora": corpora, "probe": {"device": "cuda:99"}, "results": "nowhere"})
    )
    arguments = ("-n", "--configfile", "absent.yaml")
    here = house.run(*arguments, expect=1).stdout
    assert "corpora.texts.paths.0: 'texts/*.md' is not allowed; it matches no file" in here
    assert "probe.device: 'cuda:99' is not allowed; this machine has" in here
    cluster = house.run(*arguments, "--executor", "slurm", "--jobs", "1", expect=1).stdout
    assert "corpora.texts.paths.0" in cluster
    assert "probe.device" not in cluster
    assert not (house.folder / "nowhere").exists()
