"""The embedded corpus: what the standard library repeats is left out; a stripped Python is refused."""

import sysconfig
from pathlib import Path

import pytest

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
