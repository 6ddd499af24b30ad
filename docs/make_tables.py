"""Write the reference tables of config/README.md and results/README.md; a test says when they are out of date."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs.columns import COLUMNS, TABLES  # noqa: E402  (the repository is no package)

BEGIN, END = "<!-- tables: made by `make docs` -->\n", "<!-- end of tables -->\n"


def config_table() -> str:
    """One row per key of the configuration's schema."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    rows = ["| key | allowed | meaning |", "| --- | --- | --- |"]
    rows += [
        f"| `{place}` | {_allowed(s)} | {s['description']} |" for place, s in dict(_keys(schema, schema, "")).items()
    ]
    return "\n".join(rows) + "\n"


def results_tables() -> str:
    """One section per table, one row per column."""
    parts = []
    for path, row, schema in TABLES.values():
        parts.append(
            f"### `{path}`\n\nOne row per {row}.\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |"
        )
        parts += [f"| `{f.name}` | {f.type} | {COLUMNS[f.name][0]} | {COLUMNS[f.name][1]} |" for f in schema]
        parts.append("")
    return "\n".join(parts)


def filled(path: Path, tables: str) -> str:
    """Text of a file with its tables replaced."""
    text = path.read_text()
    return re.sub(
        re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: f"{BEGIN}\n{tables}\n{END}", text, flags=re.DOTALL
    )


PAGES = {ROOT / "config/README.md": config_table, ROOT / "results/README.md": results_tables}


def _keys(schema: dict, root: dict, place: str) -> Iterator[tuple[str, dict]]:
    schema = _follow(schema, root)
    for name, inner in schema.get("properties", {}).items():
        here = f"{place}.{name}" if place else name
        yield here, {"description": "", **_follow(inner, root)}
        yield from _keys(inner, root, here)
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        for branch in _follow(more, root).get("oneOf", [more]):
            source = _follow(branch, root).get("properties", {}).get("source", {}).get("const")
            yield from _keys(branch, root, f"{place}.NAME" + (f" ({source})" if source else ""))


def _follow(schema: dict, root: dict) -> dict:
    return root["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _allowed(schema: dict) -> str:
    for key in ("enum", "const"):
        if key in schema:
            return " / ".join(f"`{v}`" for v in (schema[key] if key == "enum" else [schema[key]]))
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " ".join(
        [schema.get("type", "see meaning"), *(f"{s} {schema[k]}" for k, s in limits.items() if k in schema)]
    )


if __name__ == "__main__":
    for page, make in PAGES.items():
        page.write_text(filled(page, make()))
