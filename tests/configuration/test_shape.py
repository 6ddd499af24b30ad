"""Sentences about single places, against a small schema."""

import pytest

from rare_neurons.configuration.shape import shape_problems

FOLDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "path"],
    "properties": {"source": {"const": "folder"}, "path": {"type": "string"}},
}
HUB = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "repo"],
    "properties": {"source": {"const": "hub"}, "repo": {"type": "string"}},
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n"],
    "properties": {
        "n": {"type": "integer", "minimum": 1, "description": "how many"},
        "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "name": {"pattern": "^[a-z]+$"},
        "few": {"type": "array", "minItems": 2},
        "steps": {"oneOf": [{"enum": ["all", "log"]}, {"type": "array", "items": {"type": "integer", "minimum": 0}}]},
        "models": {"type": "object", "additionalProperties": {"oneOf": [FOLDER, HUB]}},
    },
}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"m": 1}, "top level: unknown key 'm'; known: few, models, n, name, share, steps"),
        ({"n": 0}, "n: 0 is not allowed; the smallest allowed value is 1 (how many)"),
        ({"n": "1"}, "n: '1' is not allowed; a value of type integer is needed (how many)"),
        ({"share": 0}, "share: 0 is not allowed; it must be above 0"),
        ({"share": 2}, "share: 2 is not allowed; the largest allowed value is 1"),
        ({"name": "A"}, "name: 'A' is not allowed; it must match ^[a-z]+$"),
        ({"few": [1]}, "few: [1] is not allowed; at least 2 items are needed"),
        ({"steps": "some"}, "steps: 'some' is not allowed; allowed: 'all', 'log'"),
        ({"steps": [0, -1]}, "steps.1: -1 is not allowed; the smallest allowed value is 0"),
        ({"models": {"m": {"source": "hub"}}}, "models.m: key 'repo' is missing"),
        ({"models": {"m": {"source": "web"}}}, "models.m.source: 'web' is not allowed; allowed: 'folder', 'hub'"),
        (
            {"models": {"m": {"source": "folder", "path": "x", "repo": "y"}}},
            "models.m: unknown key 'repo'; known: path, source",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(changes, sentence):
    assert shape_problems({"n": 1, **changes}, SCHEMA) == [sentence]


def test_a_right_configuration_has_no_problem():
    right = {"n": 1, "share": 1, "steps": [0, 8], "models": {"m": {"source": "hub", "repo": "lab/x"}}}
    assert shape_problems(right, SCHEMA) == []


def test_all_problems_are_told_by_place():
    assert [text.split(":")[0] for text in shape_problems({"share": 2, "few": [], "name": "A"}, SCHEMA)] == [
        "top level",
        "few",
        "name",
        "share",
    ]
