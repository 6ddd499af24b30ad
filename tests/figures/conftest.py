import pytest

from tests.figures.tree import write_tree


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """The hand-made results tree; not to be changed."""
    return write_tree(tmp_path_factory.mktemp("results"))
