"""The reference of the configuration: a table of its keys, and the schema that editors hold a single file against."""

import json
from collections.abc import Iterator

from rare_neurons.configuration import SECTIONS, dated_columns, layer_schema
from rare_neurons.configuration.schema import followed
from tools.configuration import ROOT, SCHEMA, read_yaml

LAYER_SCHEMA = ROOT / "workflow/schemas/layer.schema.json"


def config_table() -> str:
    """One row per key of the configuration's schema, and the columns that may be dated."""
    keys = {place: (schema, needed) for place, schema, needed in _keys(SCHEMA, "", SECTIONS)}
    rows = ["| key | allowed | without it | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{place}` | {_allowed(schema)} | {_without(place, schema, needed)} | {schema['description']} |"
        for place, (schema, needed) in keys.items()
    ]
    rows += ["", "What `evidence.questions` may date:", "", "| table | columns |", "| --- | --- |"]
    rows += [f"| `{table}` | {', '.join(f'`{c}`' for c in columns)} |" for table, columns in dated_columns().items()]
    return "\n".join(rows) + "\n"


def layer_schema_text() -> str:
    """The schema of a single layer as a file."""
    return json.dumps(layer_schema(SCHEMA)) + "\n"


def _keys(schema: dict, place: str, required: object) -> Iterator[tuple[str, dict, bool]]:
    """Every key with its schema, and whether it must be given."""
    for name, inner in schema.get("properties", {}).items():
        here, inner = f"{place}.{name}" if place else name, followed(inner, SCHEMA)
        yield here, {"description": "", **inner}, name in required
        yield from _keys(inner, here, inner.get("required", ()))
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        more = followed(more, SCHEMA)
        for branch in more.get("oneOf", [more]):
            source = branch.get("properties", {}).get("source", {}).get("const")
            yield from _keys(branch, f"{place}.NAME" + (f" ({source})" if source else ""), branch.get("required", ()))


def _allowed(schema: dict) -> str:
    for key in ("enum", "const"):
        if key in schema:
            return " / ".join(f"`{v}`" for v in (schema[key] if key == "enum" else [schema[key]]))
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " ".join(
        [schema.get("type", "see meaning"), *(f"{s} {schema[k]}" for k, s in limits.items() if k in schema)]
    )


def _without(place: str, schema: dict, needed: bool) -> str:
    """What holds where no file of one's own has the key."""
    value = schema.get("default", _of_analysis(place))
    if value is None:
        return "must be given" if needed else ""
    return "" if value == {} or (isinstance(value, dict) and "default" not in schema) else f"`{_plain(value)}`"


def _of_analysis(place: str) -> object:
    value = read_yaml("config/analysis.yaml")
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value).replace('"', "")
    return text.replace("|", r"\|")
