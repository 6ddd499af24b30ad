"""Write the tables of config/README.md and results/README.md and the schema of a configuration layer; tests compare."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs.columns import COLUMNS, TABLES  # noqa: E402  (the repository is no package)
from docs.config_table import LAYER_SCHEMA, config_table, layer_schema_text  # noqa: E402

BEGIN, END = "<!-- tables: made by `make docs` -->\n", "<!-- end of tables -->\n"


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


if __name__ == "__main__":
    for page, make in PAGES.items():
        page.write_text(filled(page, make()))
    LAYER_SCHEMA.write_text(layer_schema_text())
