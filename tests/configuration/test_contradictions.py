"""Each contradiction alone, in a configuration that has no other."""

import copy

import pytest

from rare_neurons.configuration.contradictions import N_FOLDS, contradictions, dangling_names
from rare_neurons.numerics.grid import folds
from tools.configuration import read_config

DEFAULT = read_config("config/config.yaml")
SEED0, SEED1 = "embedded-seed0", "embedded-seed1"


def changed(change):
    config = copy.deepcopy(DEFAULT)
    change(config)
    return config


def test_panels_have_as_many_folds_as_the_grid():
    assert N_FOLDS == folds.N_FOLDS


def test_the_default_configuration_has_none():
    assert [*dangling_names(DEFAULT), *contradictions(DEFAULT)] == []


@pytest.mark.parametrize(
    ("section", "name", "key", "target"),
    [
        ("tokenizers", "stdlib-2048", "corpus", "corpora"),
        ("panels", "heldout", "corpus", "corpora"),
        ("models", SEED0, "recipe", "recipes"),
    ],
)
def test_a_name_must_exist(section, name, key, target):
    config = changed(lambda c: c[section][name].update({key: "other"}))
    known = ", ".join(sorted(config[target]))
    assert list(dangling_names(config)) == [f"{section}.{name}.{key}: 'other' is not among the {target}: {known}"]


def test_a_model_needs_a_panel_of_its_tokenizer():
    def change(config):
        config["tokenizers"]["other"] = {**config["tokenizers"]["stdlib-2048"]}
        config["models"][SEED0]["tokenizer"] = "other"

    sentence = f"models.{SEED0}: no panel uses its tokenizer 'other'; add one under panels"
    assert list(dangling_names(changed(change))) == [sentence]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["models"]["embedded-seed0"].update(steps=[0, 2000]), "ends at step 1000"),
        (lambda c: c["recipes"]["tiny-pythia"].update(n_heads=5), "hidden_size 64 is no multiple of n_heads 5"),
        (
            lambda c: c["integrity"].update(n_projections=63),
            "integrity.n_projections: 63 is not allowed; a power of two",
        ),
        (
            lambda c: c["panels"]["heldout"].update(context_length=16),
            "panels.heldout.context_length: 16 is not allowed",
        ),
        (lambda c: c["panels"]["heldout"].update(context_length=256), "is trained on contexts of 128"),
        (
            lambda c: c["panels"]["heldout"]["strata"].update(rare={"mass": [1.0, 0.9]}),
            "is empty; from must be below to",
        ),
        (
            lambda c: c["regimes"].update(compare=[["rare", "frequent"]]),
            "regimes.compare: 'frequent' is not among the strata",
        ),
        (
            lambda c: c["models"]["embedded-seed0"].update(subject="embedded-seed1"),
            "'embedded-seed1' is the name of a model",
        ),
        (
            lambda c: c["models"]["shuffled-seed10"].update(control_of="other"),
            "control_of: 'other' is no subject and no model without one; known: embedded, shuffled",
        ),
        (lambda c: c["models"][SEED1].update(control_of="shuffled"), "'shuffled' is a control itself"),
        (lambda c: c["models"]["shuffled-seed10"].update(text="natural"), "its text is natural"),
        (
            lambda c: c["models"][SEED1].update(tokenizer="other"),
            "models: subject 'embedded' mixes the tokenizers other, stdlib-2048",
        ),
        (lambda c: c["set_spectra"].update(strata=["frequent"]), "set_spectra.strata: 'frequent' is not among"),
    ],
)
def test_a_contradiction_is_told(change, message):
    assert [text for text in contradictions(changed(change)) if message in text]
