import numpy as np
import pytest
from rich.console import Console

from rare_neurons.errors import RequestError
from rare_neurons.stages.plan_strata import strata_tables

STRATA = {"common": {"mass": [0.0, 0.5]}, "rare": {"mass": [0.5, 1.0]}}


def tables(folder, counts, strata=STRATA):
    np.save(folder / "counts.npy", np.array(counts))
    panels = {
        "told": {"corpus": "given", "tokenizer": "bpe", "strata": strata},
        "counted": {"corpus": "own", "tokenizer": "bpe", "strata": strata},
    }
    corpora = {"given": {"unigram_counts": str(folder / "counts.npy")}, "own": {}}
    return list(strata_tables(panels, corpora, {}))


def test_strata_are_shown_where_counts_are_given(tmp_path):
    (table,) = tables(tmp_path, [50, 20, 20, 10, 0])
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table)
    text = shown.get()
    assert "panel told" in text
    assert "5 ids, 4 seen, 1 never seen or padding; 100 tokens" in text
    cells = [[c.strip() for c in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]
    assert cells == [
        ["common", "1", "50.000%", "0.5", "0.5"],
        ["rare", "3", "50.000%", "0.2", "0.1"],
    ]


def test_a_stratum_that_is_empty_names_its_panel(tmp_path):
    with pytest.raises(RequestError, match="panel 'told': "):
        tables(tmp_path, [100, 0, 0], {"common": {"mass": [0.0, 0.5]}, "rare": {"mass": [0.9999, 1.0]}})


def test_counts_that_are_not_there_are_named(tmp_path):
    panel = {"corpus": "given", "tokenizer": "bpe", "strata": STRATA}
    with pytest.raises(RequestError, match=r"no unigram counts at .*nowhere\.npy"):
        list(strata_tables({"p": panel}, {"given": {"unigram_counts": str(tmp_path / "nowhere.npy")}}, {}))
