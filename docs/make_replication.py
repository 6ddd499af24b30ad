"""Put the tables and figures of `snakemake -- replication` into docs/replication.md (`make replication`)."""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs/replication.md", ROOT / "docs/figures"
SHOWN = {"ranked": "replication_ranked.png", "inequality": "replication_inequality.png"}
"""Figure of the stage to its file beside the page."""
BLOCK = re.compile(r"<!-- table: ([a-z-]+), made by `make replication` -->\n(.*?)<!-- end of table -->\n", re.DOTALL)


def read_tables(text: str) -> dict[str, str]:
    """Tables of the stage's Markdown by key."""
    parts = re.split(r"^## ([a-z-]+)\n", text, flags=re.MULTILINE)
    return {key: body.strip() for key, body in zip(parts[1::2], parts[2::2], strict=True)}


def filled(page: str, tables: dict[str, str]) -> str:
    """Text of the page with every table replaced.

    Raises
    ------
    KeyError
        If the page shows a table that is not there.
    """

    def block(found: re.Match[str]) -> str:
        return (
            f"<!-- table: {found[1]}, made by `make replication` -->\n\n{tables[found[1]]}\n\n<!-- end of table -->\n"
        )

    return BLOCK.sub(block, page)


def main(made: Path) -> None:
    """Fill the page from the folder that the rule `replication` has written."""
    PAGE.write_text(filled(PAGE.read_text(), read_tables((made / "tables.md").read_text())))
    for name, target in SHOWN.items():
        shutil.copyfile(made / f"{name}.png", FIGURES / target)


if __name__ == "__main__":
    results = ROOT / "results"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else results / "replication")
