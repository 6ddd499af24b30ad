"""Put what `make study` has found into docs/study.md: its sentences, from its summary, and its figures.

python docs/make_study.py [RESULTS]    from a results folder, results/study by default; `make study` ends with it
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs/study.md", ROOT / "docs/figures"
SUBJECT = "study"
SHOWN = ("emergence", "layers", "allocation", "organisation")
"""Figures of the subject; beside the page they begin with its name."""
BLOCK = re.compile(r"(<!-- what the study shows, made by `make study` -->\n).*?(<!-- end -->\n)", re.DOTALL)


def sentences(introduction: str) -> Iterator[str]:
    """Yield headings and list items of the subject from the summary as Snakemake's report has it."""
    lines = introduction.splitlines()
    mine = False
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below and set(below) == {"-"}:
            mine = line.startswith((f"{SUBJECT} (", f"{SUBJECT},"))
            if mine:
                yield f"**{_plain(line)}**\n"
        elif mine and line.startswith("* "):
            yield _plain(line)
        elif mine and not line:
            yield ""


def _plain(line: str) -> str:
    return re.sub(r"\\(.)", r"\1", line)


def filled(page: str, introduction: str) -> str:
    """Text of the page with its generated part replaced."""
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(sentences(introduction))).strip()
    return BLOCK.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


def main(results: Path) -> None:
    """Fill the page from the results of a finished study."""
    introduction = (results / "summary.rst").read_text(encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), introduction), encoding="utf-8")
    for name in SHOWN:
        shutil.copyfile(results / f"figures/{SUBJECT}/{name}.png", FIGURES / f"{SUBJECT}_{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results/study")
