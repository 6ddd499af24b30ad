import pytest

from rare_neurons.api.options import DRAW, LAYERS, N_PROJECTIONS, PROBE, SPECTRA, STRATA, completed
from rare_neurons.configuration import complete_config
from rare_neurons.errors import RequestError
from tests.workflow.project import CONFIG
from tools.configuration import SCHEMA, read_yaml


def test_defaults_are_those_of_the_configuration():
    panels = {"p": {"corpus": "texts", "tokenizer": "bpe"}}
    kept = {name: section for name, section in CONFIG.items() if name != "layers"}
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), {**kept, "panels": panels})
    assert {name: config["probe"][name] for name in PROBE} == PROBE
    assert set(config["probe"]) - set(PROBE) == {"dtype", "device"}
    assert config["spectra"] == SPECTRA
    layers = {**config["layers"], "strata": None, "batch_size": "auto"}
    assert {name: value for name, value in layers.items() if name != "steps"} == LAYERS
    assert config["integrity"]["n_projections"] == N_PROJECTIONS
    assert config["panels"]["p"]["strata"] == STRATA
    drawn = {name: config["panels"]["p"][name] for name in DRAW if name != "targets_per_stratum"}
    assert drawn | {"targets_per_stratum": None} == DRAW


def test_an_unknown_name_is_refused_with_what_is_known():
    assert completed("x", {"a": 1, "b": 2}, {"b": 3}) == {"a": 1, "b": 3}
    with pytest.raises(RequestError, match="no option 'tolerence' in measure_influence; near: tolerance"):
        completed("measure_influence", PROBE, {"tolerence": 1})
    with pytest.raises(RequestError, match="x: 3 is no mapping"):
        completed("x", {"a": 1}, 3)
