"""Reading a JSON Schema: references, alternatives, and what an editor may hold a single layer against."""

from collections.abc import Mapping, Sequence

Json = Mapping[str, object]

_NEEDED = ("required", "minProperties")


def followed(schema: Json, root: Json) -> Json:
    """Return what a reference points to, with the keywords beside it."""
    if "$ref" not in schema:
        return schema
    target = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return {**followed(target, root), **{key: value for key, value in schema.items() if key != "$ref"}}


def branch_of(value: object, branches: Sequence[Json], root: Json) -> Json | None:
    """Return the alternative all of whose constants the value has; None where none has constants and fits."""
    if not isinstance(value, Mapping):
        return None
    for branch in (followed(b, root) for b in branches):
        constants = {k: s["const"] for k, s in branch.get("properties", {}).items() if "const" in s}
        if constants and all(value.get(key) == constant for key, constant in constants.items()):
            return branch
    return None


def layer_schema(schema: Json) -> dict[str, object]:
    """Return the schema of a single layer: other layers may hold what is needed, and ``null`` takes a key away.

    Editors read it (``# yaml-language-server``); what counts is `check_config` of all layers together.
    """
    return _loosened(schema)


def _loosened(schema: Json) -> dict[str, object]:
    """Drop what makes keys needed, in all parts of a schema."""
    loose = {}
    for key, value in schema.items():
        if key == "$defs":
            loose[key] = {name: _loosened(inner) for name, inner in value.items()}
        elif key == "properties":
            loose[key] = {name: inner if "const" in inner else _or_null(inner) for name, inner in value.items()}
        elif key == "oneOf":
            # A layer that does not say its source again fits several alternatives.
            loose["anyOf"] = [_loosened(branch) for branch in value]
        elif key == "additionalProperties" and isinstance(value, Mapping):
            loose[key] = _or_null(value)
        elif key not in _NEEDED:
            loose[key] = value
    return loose


def _or_null(schema: Json) -> dict[str, object]:
    about = {"description": schema["description"]} if "description" in schema else {}
    return {**about, "anyOf": [_loosened(schema), {"type": "null"}]}
