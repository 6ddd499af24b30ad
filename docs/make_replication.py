"""Put what `snakemake -- replication` has made into docs/replication.md: tables, their sentences, figures.

python docs/make_replication.py [RESULTS]    from a results folder, results/ by default; `make replication` ends with it
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs/replication.md", ROOT / "docs/figures"
SHOWN = {"ranked": "replication_ranked.png", "inequality": "replication_inequality.png"}
"""Figure of the stage to its file beside the page."""
BLOCK = re.compile(
    r"<!-- (table|words): ([a-z-]+), made by `make replication` -->\n(.*?)<!-- end of \1 -->\n", re.DOTALL
)
"""A generated part of the page: its kind, the key of its table, and what it holds."""


def read_parts(text: str) -> dict[str, str]:
    """Tables and sentences (``key-words``) of the stage's Markdown by key."""
    parts = re.split(r"^## ([a-z-]+)\n", text, flags=re.MULTILINE)
    return {key: body.strip() for key, body in zip(parts[1::2], parts[2::2], strict=True)}


def filled(page: str, parts: dict[str, str]) -> str:
    """Text of the page with every generated part replaced.

    Raises
    ------
    KeyError
        If the page shows a table that is not there.
    """

    def block(found: re.Match[str]) -> str:
        kind, key = found[1], found[2]
        table = parts[key]
        # A table without its panel is a sentence already.
        text = table if kind == "table" else parts.get(f"{key}-words", "")
        return f"<!-- {kind}: {key}, made by `make replication` -->\n\n{text}\n\n<!-- end of {kind} -->\n"

    return BLOCK.sub(block, page)


def main(results: Path) -> None:
    """Fill the page from a results folder in which the rule `replication` has run."""
    made = results / "replication"
    page = filled(PAGE.read_text(encoding="utf-8"), read_parts((made / "tables.md").read_text(encoding="utf-8")))
    PAGE.write_text(page, encoding="utf-8")
    for name, target in SHOWN.items():
        shutil.copyfile(made / f"{name}.png", FIGURES / target)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results")
