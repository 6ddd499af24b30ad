"""Layers, what takes away, and defaults."""

import copy

from snakemake.utils import update_config

from rare_neurons.configuration import complete_config, layered
from tools.configuration import SCHEMA, read_yaml

FOLDER = {"source": "folder", "path": "runs/a/step{step}", "tokenizer": "t"}


def test_mappings_are_merged_and_everything_else_is_replaced():
    lower = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert layered(lower, {"a": {"y": [3]}, "b": {"z": 1}}) == {"a": {"x": 1, "y": [3]}, "b": {"z": 1}}
    assert layered(lower, {"a": 2}) == {"a": 2, "b": 1}
    assert lower == {"a": {"x": 1, "y": [1, 2]}, "b": 1}


def test_files_of_a_command_line_may_be_joined_before_they_come_on_top():
    """Snakemake joins them, also with keys of --config, and hands over one mapping."""
    analysis, demo = read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml")
    mine = {"probe": {"batch_size": 64}, "models": {"embedded-seed1": None}, "regimes": {"compare": []}}
    joined: dict = {}
    for layer in (demo, mine):
        update_config(joined, layer)
    assert complete_config(SCHEMA, analysis, joined) == complete_config(SCHEMA, analysis, demo, mine)


def test_null_takes_away_what_lower_layers_have():
    analysis, demo = read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml")
    quantity = "loss on common tokens"
    upper = {"models": {"embedded-seed1": None}, "evidence": {"questions": {quantity: None}}, "lineage": None}
    config = complete_config(SCHEMA, analysis, demo, upper)
    assert list(config["models"]) == ["embedded-seed0", "embedded-seed2", "shuffled-seed10", "shuffled-seed11"]
    assert quantity not in config["evidence"]["questions"]
    assert "lineage" not in config
    # … and gives a default back, where there is one.
    assert complete_config(SCHEMA, {"results": "there"}, {"results": None})["results"] == "results"


def test_a_layer_above_may_bring_back_what_was_taken_away():
    assert complete_config({}, {"a": {"b": 1}}, {"a": None}, {"a": {"c": 2}}) == {"a": {"c": 2}}


def test_defaults_are_those_of_the_entrys_source():
    models = {"a": FOLDER, "b": {"source": "pretrain"}, "c": {"source": "hub"}, "d": {"source": "web"}}
    found = complete_config(SCHEMA, {"models": models})["models"]
    assert found["a"] == {**FOLDER, "steps": "found"}
    assert found["b"] == {"source": "pretrain", "text": "natural", "steps": "pythia-all"}
    assert found["c"] == {"source": "hub", "revision": "step{step}"}
    assert found["d"] == {"source": "web"}


def test_a_default_that_is_a_mapping_is_completed_and_never_shared():
    one, two = complete_config(SCHEMA, {}), complete_config(SCHEMA, {"cache": {"disk_gb": 1}})
    assert one["cache"] == {"folder": "cache", "disk_gb": 50}
    assert two["cache"] == {"folder": "cache", "disk_gb": 1}
    panel = complete_config(SCHEMA, {"panels": {"p": {}}})["panels"]["p"]
    panel["strata"].clear()
    assert list(complete_config(SCHEMA, {"panels": {"p": {}}})["panels"]["p"]["strata"]) == ["common", "mid", "rare"]


def test_given_strata_replace_the_default_ones():
    strata = {"top": {"types": [0.0, 0.5]}}
    assert complete_config(SCHEMA, {"panels": {"p": {"strata": strata}}})["panels"]["p"]["strata"] == strata


def test_the_order_of_a_file_does_not_matter_to_parameters():
    """Snakemake compares parameters by their text."""
    analysis = read_yaml("config/analysis.yaml")
    turned = {name: dict(reversed(section.items())) for name, section in analysis.items()}
    for name in ("probe", "spectra", "regimes", "set_spectra", "integrity"):
        assert repr(complete_config(SCHEMA, turned)[name]) == repr(complete_config(SCHEMA, analysis)[name])


def test_layers_stay_as_they_are():
    analysis, demo = read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml")
    before = copy.deepcopy((analysis, demo))
    complete_config(SCHEMA, analysis, demo)["panels"]["heldout"]["strata"].clear()
    assert (analysis, demo) == before


def test_unknown_keys_are_left_for_the_check():
    assert complete_config(SCHEMA, {"prob": 1, "models": []}) == {
        **complete_config(SCHEMA, {}),
        "prob": 1,
        "models": [],
    }
