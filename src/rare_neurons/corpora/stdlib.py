"""The embedded corpus: the running standard library (prose, docstrings, source) and docstrings of other packages."""

import ast
import hashlib
import importlib.util
import itertools
import os
import sysconfig
import tokenize
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from rare_neurons.errors import RequestError

SKIPPED_FOLDERS = frozenset(
    {"test", "tests", "idlelib", "tkinter", "lib2to3", "encodings", "site-packages", "__pycache__"}
)
SKIPPED_PREFIXES = ("_sysconfigdata",)
TOPICS = "pydoc_data/topics.py"

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # in the order in which every statement has them


def stdlib_documents(folder: Path | None = None, *, packages: Sequence[str] = ()) -> Iterator[tuple[str, str, str]]:
    """Yield ``(origin, document, text)`` of the standard library, then of packages, in a fixed order.

    Parameters
    ----------
    folder : Path, optional
        Folder of the library; the running interpreter's by default.
    packages : sequence of str
        Installed packages whose docstrings follow, a document for each of their files; nothing of them is imported.

    Yields
    ------
    origin : str
        The file a document comes from, relative to the library; a held-out split is made on it, so that no file is
        in both parts.
    document : str
        Name of the document.
    text : str
        Its text, with paragraphs that an earlier document already had left out.

    Raises
    ------
    RequestError
        If the library carries no ``pydoc_data/topics.py`` (some distributions strip it), or a package is not installed.
    """
    root = Path(sysconfig.get_path("stdlib")) if folder is None else folder
    if not (root / TOPICS).is_file():
        raise RequestError(
            f"the standard library at {root} carries no {TOPICS}, which the embedded corpus is made of; "
            "use a Python that has it (python.org, conda, Debian's libpython3-stdlib) or name your own corpus"
        )
    folders = {name: _package_folder(name) for name in packages}
    seen: set[bytes] = set()
    of_packages = (_docstring_documents(name, where) for name, where in folders.items())
    for origin, document, text in itertools.chain(_raw_documents(root), *of_packages):
        kept = _without_repeated_paragraphs(text, seen)
        if kept:
            yield origin, document, kept


def _raw_documents(root: Path) -> Iterator[tuple[str, str, str]]:
    topics = ast.parse((root / TOPICS).read_text(encoding="utf-8"))
    for topic, text in sorted(_literal_dict(topics).items()):
        # Topics are documents of their own: one file of 0.5 MB would otherwise fall into a single split.
        yield f"topic/{topic}", f"topic/{topic}", text
    for name, path in _python_files(root):
        if name == TOPICS:
            continue
        source = _read_source(path)
        prose = "\n\n".join(_docstrings(ast.parse(source)))
        if prose:
            yield name, f"{name}:docstrings", prose
        yield name, name, source


def _package_folder(name: str) -> Path:
    # Of a package at the top nothing is imported by looking it up.
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(
            f"the corpus asks for docstrings of {name!r}, which is not an installed package; correct `packages`"
        )
    return Path(spec.submodule_search_locations[0])


def _docstring_documents(package: str, root: Path) -> Iterator[tuple[str, str, str]]:
    for relative, path in _python_files(root):
        prose = "\n\n".join(_docstrings(ast.parse(_read_source(path))))
        if prose:
            name = f"{package}/{relative}"
            yield name, f"{name}:docstrings", prose


def _literal_dict(module: ast.Module) -> dict[str, str]:
    for node in module.body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict):
            return ast.literal_eval(value)
    raise RequestError(
        f"{TOPICS} holds no dictionary of topics; this Python's layout is not known to the embedded corpus"
    )


def _python_files(root: Path) -> list[tuple[str, Path]]:
    """Names and paths of all source files but those skipped, in the order of their names."""
    found = []
    for folder, folders, files in os.walk(root):
        # Not walked at all: what is installed beside a library is many times as much.
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        paths = [Path(folder, name) for name in files if name.endswith(".py")]
        found += [(p.relative_to(root).as_posix(), p) for p in paths if not p.name.startswith(SKIPPED_PREFIXES)]
    return sorted(found)


def _read_source(path: Path) -> str:
    with tokenize.open(path) as file:  # honours each file's own coding line
        return file.read()


def _docstrings(tree: ast.Module) -> Iterator[str]:
    """Docstrings breadth first, as `ast.walk` meets them; expressions, most of a tree, hold none and are not walked."""
    nodes: deque[ast.AST] = deque([tree])
    while nodes:
        node = nodes.popleft()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text
        for field in _BLOCKS:
            nodes.extend(getattr(node, field, ()))


def _without_repeated_paragraphs(text: str, seen: set[bytes]) -> str:
    kept = []
    for paragraph in text.split("\n\n"):
        key = hashlib.blake2b(" ".join(paragraph.split()).encode(), digest_size=16).digest()
        if paragraph.strip() and key not in seen:
            seen.add(key)
            kept.append(paragraph)
    return "\n\n".join(kept)
