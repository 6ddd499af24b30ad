"""The schema itself, and the one of a single layer that editors read."""

import jsonschema
import pytest

from docs.config_table import LAYER_SCHEMA, layer_schema_text
from rare_neurons.configuration import complete_config, layer_schema
from rare_neurons.configuration.schema import followed
from tools.configuration import SCHEMA, read_yaml

LAYER = jsonschema.Draft202012Validator(layer_schema(SCHEMA))


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
    *(
        "enum",
        "const",
        "oneOf",
        "items",
        "minItems",
        "maxItems",
        "minLength",
        "uniqueItems",
        "pattern",
        "$ref",
        "$schema",
        "title",
    ),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "$defs", "default"),
}


def test_the_schema_holds_known_keywords_only():
    """An unquoted comma in a description would end it and start a keyword of its own."""
    for place, schema in [("top", SCHEMA), *SCHEMA["$defs"].items(), *properties(SCHEMA)]:
        assert set(schema) <= KEYWORDS, f"{place}: {set(schema) - KEYWORDS}"


def test_every_default_is_allowed_where_it_stands():
    found = [(place, followed(inner, SCHEMA)) for place, inner in properties(SCHEMA)]
    with_default = [(place, schema) for place, schema in found if "default" in schema]
    assert len(with_default) > 20
    for place, schema in with_default:
        value = complete_config({"properties": {"key": schema}, "$defs": SCHEMA["$defs"]}, {})["key"]
        problems = jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]}).iter_errors(value)
        assert list(problems) == [], place


def test_no_key_is_both_needed_and_given_by_default():
    for place, schema in properties(SCHEMA):
        whole = followed(schema, SCHEMA)
        for part in (whole, *whole.get("oneOf", ())):
            keys = {k: followed(v, SCHEMA) for k, v in followed(part, SCHEMA).get("properties", {}).items()}
            both = {k for k in part.get("required", ()) if "default" in keys[k]}
            assert not both, f"{place}: {both} have a default"


def test_the_schema_of_a_layer_is_up_to_date():
    assert LAYER_SCHEMA.read_text() == layer_schema_text(), "run `make docs`"


@pytest.mark.parametrize(
    "layer",
    [
        {},
        {"models": {"embedded-seed0": None}},
        {"panels": {"heldout": {"seed": 1}}},
        {"regimes": {"n_bins": 12}},
        {"evidence": {"questions": {"loss on rare tokens": None}}},
        {"probe": {"placement": None}},
    ],
)
def test_a_layer_may_be_a_part_and_take_away(layer):
    assert list(LAYER.iter_errors(layer)) == []


@pytest.mark.parametrize(
    "layer",
    [{"prob": {}}, {"probe": {"engin": "exact"}}, {"probe": {"engine": "fast"}}, {"models": {"x": {"stepz": 1}}}],
)
def test_a_misspelt_layer_is_refused_by_its_schema_too(layer):
    assert list(LAYER.iter_errors(layer))


def test_every_shipped_file_is_a_layer():
    for name in ("analysis", "config", "own-model", "pythia", "seed-papers"):
        assert list(LAYER.iter_errors(read_yaml(f"config/{name}.yaml"))) == [], name
