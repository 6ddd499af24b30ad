from itertools import groupby

import pytest

from rare_neurons.atlas.registry import VIEWS
from rare_neurons.atlas.view import VIEWS_FOLDER
from rare_neurons.catalogue import TABLES, TIMELINES


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_reads_tables_of_the_catalogue_and_its_script_draws_it(view):
    assert set(view.tables) <= {*TABLES, *TIMELINES}
    assert callable(view.load())
    assert not view.script or f'atlas.view("{view.name}"' in view.script


def test_every_module_and_script_of_a_view_is_on_the_page():
    names = {path.stem for path in VIEWS_FOLDER.iterdir() if path.suffix in (".py", ".js")} - {"__init__"}
    assert names == {view.name for view in VIEWS}


def test_a_section_has_its_views_together():
    sections = [name for name, _ in groupby(view.section for view in VIEWS)]
    assert len(sections) == len(set(sections))
