import copy

import pytest

from rare_neurons.configuration import SECTIONS, check_config, dated_columns
from rare_neurons.errors import RequestError
from tools.configuration import SCHEMA, read_config

DEFAULT = read_config("config/config.yaml")


def refused(change) -> str:
    config = copy.deepcopy(DEFAULT)
    change(config)
    with pytest.raises(RequestError) as caught:
        check_config(config, SCHEMA, sections=SECTIONS, legal=dated_columns())
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
    return lambda c: c["evidence"]["questions"]["loss on rare tokens"].update(table=table, column=column)


def test_a_column_of_another_table_cannot_be_dated():
    text = refused(dated("gini"))
    assert "evidence.questions.loss on rare tokens.column: 'gini' is no column of behaviour that can be dated" in text
    assert "allowed: loss, loss_within, entropy, kl_model_to_unigram, kl_unigram_to_model" in text


def test_a_table_without_a_timeline_of_numbers_cannot_be_dated():
    text = refused(dated("loss", table="lineage"))
    assert "evidence.questions.loss on rare tokens.table: 'lineage' is not allowed" in text


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


def test_a_name_that_is_not_there_is_refused():
    text = refused(lambda c: c["models"]["embedded-seed0"].update(recipe="tiny"))
    assert "models.embedded-seed0.recipe: 'tiny' is not among the recipes: tiny-pythia" in text


def test_contradictions_are_refused():
    text = refused(lambda c: c["integrity"].update(n_projections=63))
    assert "integrity.n_projections: 63 is not allowed; a power of two is needed" in text
