"""The embedded corpus: what the standard library repeats is left out; a stripped Python is refused."""

import ast
import sysconfig
from pathlib import Path

import pytest

from rare_neurons.corpora import stdlib
from rare_neurons.corpora.stdlib import stdlib_documents
from rare_neurons.errors import RequestError


def test_a_python_without_topics_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"carries no pydoc_data/topics\.py"):
        next(stdlib_documents(tmp_path))


def test_the_standard_library_loses_what_it_repeats(tmp_path):
    (tmp_path / "pydoc_data").mkdir()
    (tmp_path / "pydoc_data/topics.py").write_text("topics = {'b': 'Beta.\\n\\nShared.', 'a': 'Alpha.\\n\\nShared.'}")
    (tmp_path / "module.py").write_text('"""Shared."""\n\nx = 1\n')
    (tmp_path / "test").mkdir()
    (tmp_path / "test/skipped.py").write_text("y = 2\n")
    found = {name: text for _, name, text in stdlib_documents(tmp_path)}
    assert found == {"topic/a": "Alpha.\n\nShared.", "topic/b": "Beta.", "module.py": '"""Shared."""\n\nx = 1\n'}


def test_the_real_library_yields_prose_and_source():
    root = Path(sysconfig.get_path("stdlib"))
    documents = stdlib_documents(root)
    origins = [origin for origin, _, _ in (next(documents) for _ in range(200))]
    assert sum(o.startswith("topic/") for o in origins) > 50
    assert any(o.endswith(".py") for o in origins)
    assert not any(Path(o).parts[0] == "test" for o in origins)


def make_package(folder, name="pieces"):
    package = folder / name
    (package / "tests").mkdir(parents=True)
    (package / "__init__.py").write_text('"""What it is for.\n\nShared."""\n\nraise RuntimeError("imported")\n')
    (package / "parts.py").write_text('x = 1\n\n\ndef f():\n    """Do it."""\n')
    (package / "bare.py").write_text("y = 2\n")
    (package / "tests" / "test_parts.py").write_text('"""Skipped."""\n')


def make_library(folder):
    (folder / "pydoc_data").mkdir(parents=True)
    (folder / "pydoc_data/topics.py").write_text("topics = {'a': 'Alpha.\\n\\nShared.'}")


def test_docstrings_of_a_package_follow_and_nothing_of_it_is_imported(tmp_path, monkeypatch):
    make_library(tmp_path / "lib")
    make_package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = list(stdlib_documents(tmp_path / "lib", packages=["pieces"]))
    assert [origin for origin, _, _ in found] == ["topic/a", "pieces/__init__.py", "pieces/parts.py"]
    assert [text for _, _, text in found[1:]] == ["What it is for.", "Do it."]


@pytest.mark.parametrize("name", ["no_such_package", "ast", "not a name", "json.decoder"])
def test_what_is_no_installed_package_is_refused(tmp_path, name):
    make_library(tmp_path)
    with pytest.raises(RequestError, match=rf"docstrings of '{name}', which is not an installed package"):
        next(stdlib_documents(tmp_path, packages=[name]))


NESTED = '''"""module"""
try:
    class InTry:
        """in try"""
        def method(self):
            """method"""
except ValueError as error:
    def in_handler():
        """in handler"""
        match error:
            case str():
                async def in_case():
                    """in case"""
else:
    for _ in range(3):
        with open("x"):
            def in_loop():
                """in loop"""
finally:
    if True:
        pass
    elif not (lambda: "no docstring"):
        def in_branch():
            """in branch"""
'''


def test_docstrings_come_from_every_block_in_the_order_of_a_whole_walk():
    tree = ast.parse(NESTED)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    expected = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented)]
    assert len(expected) == 7
    assert list(stdlib._docstrings(tree)) == expected
