"""Write the tables of config/README.md and results/README.md, captions and the schema of a configuration layer."""

import re
import sys
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs.config_table import LAYER_SCHEMA, config_table, layer_schema_text  # noqa: E402
from rare_neurons.catalogue import TABLES, TIMELINES  # noqa: E402
from rare_neurons.figures.registry import FIGURES  # noqa: E402
from rare_neurons.tables import table_schema  # noqa: E402

BEGIN, END = "<!-- tables: made by `make docs` -->\n", "<!-- end of tables -->\n"


def results_tables() -> str:
    """One section per table of the catalogue, one row per column."""
    parts = []
    for name, table in {**TABLES, **TIMELINES}.items():
        keys = ", ".join(f"`{key}`" for key in (*table.place, *table.keys))
        parts.append(
            f"### `{table.path}`\n\nOne row per {table.grain}, told apart by {keys}. Computed in `{table.computed_in}`."
            "\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |"
        )
        for field in table_schema(name):
            about = {key.decode(): value.decode() for key, value in field.metadata.items()}
            meaning = about["meaning"].replace("|", "\\|")
            parts.append(f"| `{field.name}` | {_kind(field.type)} | {about['unit']} | {meaning} |")
        parts.append("")
    return "\n".join(parts)


def _kind(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def filled(path: Path, tables: str) -> str:
    """Text of a file with its tables replaced."""
    text = path.read_text()
    return re.sub(
        re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: f"{BEGIN}\n{tables}\n{END}", text, flags=re.DOTALL
    )


PAGES = {ROOT / "config/README.md": config_table, ROOT / "results/README.md": results_tables}

CAPTIONS = {ROOT / f"workflow/report/figures/{figure.name}.rst": f"{figure.caption}\n" for figure in FIGURES}
"""Of Snakemake's report, which takes them from files alone."""


if __name__ == "__main__":
    for page, make in PAGES.items():
        page.write_text(filled(page, make()))
    LAYER_SCHEMA.write_text(layer_schema_text())
    for path, caption in CAPTIONS.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(caption)
