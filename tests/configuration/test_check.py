import copy

import pytest

from rare_neurons.configuration import ONSET_COLUMNS, SECTIONS, check_config
from rare_neurons.errors import RequestError
from tools.configuration import SCHEMA, read_config

DEFAULT = read_config("config/config.yaml")


def refused(change) -> str:
    config = copy.deepcopy(DEFAULT)
    change(config)
    with pytest.raises(RequestError) as caught:
        check_config(config, SCHEMA, sections=SECTIONS, legal=ONSET_COLUMNS)
    return str(caught.value)


def test_a_misspelt_key_names_the_known_ones():
    text = refused(lambda c: c["probe"].update(engin="exact"))
    assert "probe: unknown key 'engin'; known: batch_size, device, dtype, engine" in text


def test_a_wrong_value_names_what_is_allowed_and_what_it_means():
    assert "probe.engine: 'fast' is not allowed; allowed: 'certified', 'exact'" in refused(
        lambda c: c["probe"].update(engine="fast")
    )
    assert "cache.disk_gb: 0 is not allowed; it must be above 0" in refused(lambda c: c["cache"].update(disk_gb=0))


def test_a_missing_key_is_named():
    assert "panels.heldout: key 'corpus' is missing" in refused(lambda c: c["panels"]["heldout"].pop("corpus"))


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_a_missing_section_is_a_sentence_that_names_its_rules(section):
    text = refused(lambda c: c.pop(section))
    assert f"section {section!r} is missing, which the rules {', '.join(SECTIONS[section])} read; add it" in text


def dated(column: str, table: str = "behaviour"):
    return lambda c: c["onset"]["quantities"]["loss on rare tokens"].update(table=table, column=column)


def test_a_column_of_another_table_cannot_be_dated():
    text = refused(dated("gini"))
    assert "onset.quantities.loss on rare tokens.column: 'gini' is no column of behaviour that can be dated" in text
    assert "allowed: loss, entropy, kl_model_to_unigram, kl_unigram_to_model" in text


def test_a_table_without_a_timeline_of_numbers_cannot_be_dated():
    text = refused(dated("loss", table="claims"))
    assert "table: 'claims' has no column that can be dated; allowed: behaviour, influence, differentiation" in text


def test_found_steps_are_for_folders():
    text = refused(lambda c: c["models"]["embedded-seed0"].update(steps="found"))
    assert "models.embedded-seed0.steps: 'found' is not allowed; allowed: 'pythia-all', 'pythia-log'" in text


def test_a_wrong_item_is_named_in_the_alternative_of_its_type():
    text = refused(lambda c: c["models"]["embedded-seed0"].update(steps=[0, -1]))
    assert "models.embedded-seed0.steps.1: -1 is not allowed; the smallest allowed value is 0" in text


def test_an_unknown_source_names_the_kinds():
    text = refused(lambda c: c["corpora"].update(x={"source": "web", "smoothing": 1}))
    assert "'web' is not allowed" in text
    assert "'stdlib'" in text


def test_a_wrong_key_inside_an_alternative_is_found_in_that_alternative():
    text = refused(lambda c: c["models"]["embedded-seed0"].update(sed=1))
    assert "models.embedded-seed0: unknown key 'sed'" in text


def test_names_must_exist():
    text = refused(lambda c: c["models"]["embedded-seed0"].update(recipe="tiny"))
    assert "models.embedded-seed0.recipe: 'tiny' is not among the recipes: tiny-pythia" in text


def test_a_model_without_a_panel_is_refused():
    def change(config):
        config["tokenizers"]["other"] = {**config["tokenizers"]["stdlib-4096"]}
        config["models"]["embedded-seed0"]["tokenizer"] = "other"

    assert "models.embedded-seed0: no panel uses its tokenizer 'other'" in refused(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["models"]["embedded-seed0"].update(steps=[0, 2000]), "ends at step 1000"),
        (lambda c: c["recipes"]["tiny-pythia"].update(n_heads=5), "hidden_size 96 is no multiple of n_heads 5"),
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
    ],
)
def test_contradictions_are_refused(change, message):
    assert message in refused(change)
