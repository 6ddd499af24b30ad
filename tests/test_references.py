"""What the repository's texts refer to exists: pages and their anchors, files, names in the code."""

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "benchmarks", "tools", "workflow", "config", "docs", "profiles", "results")
SUFFIXES = (".py", ".md", ".smk", ".yaml", ".yml", ".toml")
OWN = ("rare_neurons",)

PAGE = re.compile(r"(?<![\w./-])(docs/[\w./-]+\.md)(?:#([\w-]+))?")
FILE = re.compile(r"(?<![\w./-])((?:tests|benchmarks)/[\w/-]+\.py)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAME = re.compile(r"`(rare_neurons(?:\.\w+)+(?::\w+)?)(?=[`(])")
# Pages that lie outside the repository: a reader could not open them.
ABSENT = re.compile(r"\b(?:METH" r"ODS|ARCH" r"ITECTURE)\b")
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)


def texts() -> list[Path]:
    """Every text of the repository that a person wrote, the made results apart."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    found = [path for path in found if path.parts[len(ROOT.parts)] != "results" or path.name == "README.md"]
    return sorted([*found, *(path for path in ROOT.iterdir() if path.suffix in SUFFIXES)])


def broken(path: Path, root: Path = ROOT) -> list[str]:
    """References of one text that lead nowhere."""
    text = path.read_text(encoding="utf-8")
    found = [f"{match.group()} is no page of this repository" for match in ABSENT.finditer(text)]
    # A worked diff names files that it would add.
    text = FENCE.sub("", text) if path.suffix == ".md" else text
    found += [why for page, anchor in PAGE.findall(text) if (why := _no_page(root / page, anchor))]
    found += [f"no file {name}" for name in FILE.findall(text) if not (root / name).is_file()]
    if path.suffix == ".md":
        found += _links(path, text)
        found += [f"no name {name}" for name in NAME.findall(text) if not _exists(name)]
    return found


def _links(path: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        why = _no_page(path.parent / name if name else path, anchor)
        if why:
            yield why


def _no_page(page: Path, anchor: str) -> str | None:
    if not page.exists():
        return f"no file {page.name}"
    if anchor and anchor not in anchors(page):
        return f"no heading #{anchor} in {page.name}"
    return None


@cache
def anchors(page: Path) -> frozenset[str]:
    """Anchors of a page's headings, as a forge makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    made: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        made[slug] = made.get(slug, -1) + 1
        if made[slug]:
            made[f"{slug}-{made[slug]}"] = 0
    return frozenset(made)


@cache
def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute or field reached from one."""
    parts = name.replace(":", ".").split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(OWN):
                raise
            continue
        for part in parts[cut:]:
            if part in getattr(found, "__dataclass_fields__", {}):
                return part == parts[-1]
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_references_resolve():
    found = {path.relative_to(ROOT).as_posix(): broken(path) for path in texts()}
    assert len(found) > 500
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.md", "[x](b.md)", "no file b.md"),
        ("a.md", "[x](#nowhere)", "no heading #nowhere in a.md"),
        ("a.md", "`rare_neurons.numerics.no_such_topic`", "no name rare_neurons.numerics.no_such_topic"),
        ("a.md", "`rare_neurons.results:load_nothing`", "no name rare_neurons.results:load_nothing"),
        ("a.md", "see {d}ocs/gone.md", "no file gone.md"),
        ("a.py", "# see {d}ocs/here.md#gone", "no heading #gone in here.md"),
        ("a.py", '"""`{t}ests/test_gone.py` shows it."""', "no file {t}ests/test_gone.py"),
        ("a.py", "# {M} §2", "{M} is no page of this repository"),
    ],
)
def test_a_broken_reference_is_found(tmp_path, name, text, said):
    # Spelt in parts, so that this file does not hold them itself.
    parts = {"d": "d", "t": "t", "M": "METH" + "ODS"}
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "here.md").write_text("# Here\n")
    (tmp_path / name).write_text(text.format(**parts))
    assert broken(tmp_path / name, tmp_path) == [said.format(**parts)]


def test_good_references_pass(tmp_path):
    (tmp_path / "here.md").write_text("# A heading, `with` code\n\n## Twice\n\n## Twice\n")
    (tmp_path / "a.md").write_text(
        "[x](here.md#a-heading-with-code) [y](here.md#twice-1) [z](https://example.org)\n"
        "`rare_neurons.load_timeline` `rare_neurons.numerics.evidence.question:Rule` "
        "`rare_neurons.numerics.evidence.question.Rule.level`\n"
        "```\n[not read](nowhere.md)\n```\n"
    )
    assert broken(tmp_path / "a.md", tmp_path) == []
