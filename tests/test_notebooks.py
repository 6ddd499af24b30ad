"""Notebooks run from top to bottom in a kernel of their own, and are kept without outputs."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request):
    nbclient = pytest.importorskip("nbclient", reason="of the extra `dev`")
    notebook = nbformat.read(request.param, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return notebook


def shown(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


def test_a_notebook_runs_and_shows_its_tables_and_figures(executed):
    text = "\n".join(shown(executed, "text/plain"))
    assert len(shown(executed, "image/png")) == 2
    for word in ("n_types_effective", "influence_within", "stable_rank", "common"):
        assert word in text
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.get("name") == "stderr" and "rare_neurons" in o["text"]]  # no warning of ours


def test_the_loss_falls_from_that_of_no_knowledge(executed):
    (table,) = (text for text in shown(executed, "text/plain") if text.startswith("stratum"))
    found = re.findall(r"^(\d+) +([\d.]+) +([\d.]+) +([\d.]+)", table, re.MULTILINE)
    rows = {int(step): [*map(float, losses)] for step, *losses in found}
    assert list(rows) == [0, 8, 48]
    assert all(6.5 < loss < 7.5 for loss in rows[0])  # ln 1024 = 6.93, and what random weights add
    assert rows[48][0] < rows[0][0] - 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)
