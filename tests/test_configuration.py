import copy
from pathlib import Path

import pytest
import yaml

from rare_neurons.configuration import check_config
from rare_neurons.errors import RequestError

ROOT = Path(__file__).parents[1]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def refused(change) -> str:
    config = copy.deepcopy(DEFAULT)
    change(config)
    with pytest.raises(RequestError) as caught:
        check_config(config, SCHEMA)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/*.yaml")), ids=lambda p: p.name)
def test_every_shipped_configuration_is_accepted(path):
    check_config(yaml.safe_load(path.read_text()), SCHEMA)


def test_a_misspelt_key_names_the_known_ones():
    text = refused(lambda c: c["probe"].update(engin="exact"))
    assert "probe: unknown key 'engin'; known: batch_size, device, dtype, engine" in text


def test_a_wrong_value_names_what_is_allowed_and_what_it_means():
    assert "probe.engine: 'fast' is not allowed; allowed: 'certified', 'exact'" in refused(
        lambda c: c["probe"].update(engine="fast")
    )
    assert "cache.disk_gb: 0 is not allowed; it must be above 0" in refused(lambda c: c["cache"].update(disk_gb=0))


def test_a_missing_key_is_named():
    assert "panels.heldout: key 'seed' is missing" in refused(lambda c: c["panels"]["heldout"].pop("seed"))


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
            lambda c: c["models"]["embedded-seed0"].update(group="embedded-seed1"),
            "'embedded-seed1' is the name of a model",
        ),
    ],
)
def test_contradictions_are_refused(change, message):
    assert message in refused(change)


def properties(schema: dict, place: str = ""):
    """Every property of the schema with its place."""
    if not isinstance(schema, dict):
        return
    for name, inner in schema.get("properties", {}).items() if isinstance(schema.get("properties"), dict) else ():
        yield f"{place}.{name}", inner
        yield from properties(inner, f"{place}.{name}")
    for key in ("additionalProperties", "items"):
        yield from properties(schema.get(key), f"{place}.*")
    for key in ("oneOf", "anyOf"):
        for number, inner in enumerate(schema.get(key, [])):
            yield from properties(inner, f"{place}[{number}]")


def test_every_key_is_described_and_every_object_closed():
    for place, schema in properties(SCHEMA):
        target = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        assert "description" in target, f"{place} has no description; add one, with its unit, to the schema"
        if target.get("type") == "object":
            assert "additionalProperties" in target, f"{place} takes any key; add additionalProperties"


KEYWORDS = {
    *("type", "additionalProperties", "required", "description", "properties", "propertyNames", "minProperties"),
    *("enum", "const", "oneOf", "items", "minItems", "maxItems", "uniqueItems", "pattern", "$ref", "$schema", "title"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "$defs"),
}


def test_the_schema_holds_known_keywords_only():
    """An unquoted comma in a description would end it and start a keyword of its own."""
    for place, schema in [("top", SCHEMA), *SCHEMA["$defs"].items(), *properties(SCHEMA)]:
        assert set(schema) <= KEYWORDS, f"{place}: {set(schema) - KEYWORDS}"


def test_columns_of_onsets_are_those_of_the_timelines():
    from rare_neurons.metrics import METRICS, load
    from rare_neurons.schemas import BEHAVIOUR
    from rare_neurons.stages.timelines import INFLUENCE_SUMMARY
    from rare_neurons.tables import schema_of

    differentiation = next(m for m in METRICS if m.name == "differentiation").tables["differentiation"]
    known = {*BEHAVIOUR.names, *INFLUENCE_SUMMARY.names, *schema_of(load(differentiation)).names}
    quantities = SCHEMA["properties"]["onset"]["properties"]["quantities"]["additionalProperties"]
    assert set(quantities["properties"]["column"]["enum"]) <= known
