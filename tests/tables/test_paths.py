import pytest

from rare_neurons.catalogue import TABLES, TIMELINES
from rare_neurons.tables import find_tables, index_paths, key_of, table_entry

VALUES = {
    "corpus": "c", "tokenizer": "t", "panel": "p", "model": "m", "step": 16, "interval": "16-128", "subject": "s",
    "n_neurons": "384",
}  # fmt: skip


@pytest.mark.parametrize("root", ["", "results/", "/a/timelines/influence/x/"])
def test_every_path_that_the_catalogue_makes_is_taken_apart_again(root):
    entries = {name: table_entry(name) for name in (*TABLES, *TIMELINES)}
    due = {name: (name, *(VALUES[word] for word in entry.wildcards)) for name, entry in entries.items()}
    assert {name: key_of(root + entry.path.format(**VALUES)) for name, entry in entries.items()} == due


def test_a_panel_may_bear_the_name_of_a_table():
    assert key_of("out/influence/spectra/m/step0.parquet") == ("influence", "spectra", "m", 0)


@pytest.mark.parametrize("path", ["results/influence/p/m/step1.csv", "results/influence/p/m/last.parquet", "x.parquet"])
def test_what_is_no_table_is_named(path):
    with pytest.raises(ValueError, match=f"{path} is no table of the catalogue"):
        key_of(path)


def test_files_are_found_in_the_order_of_their_steps(tmp_path):
    for step in (16, 2, 128):
        path = tmp_path / f"influence/p/m/step{step}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "influence/p/m/.step1.parquet.host-1.part").touch()
    found = find_tables(tmp_path, "influence")
    assert list(found) == [("influence", "p", "m", step) for step in (2, 16, 128)]
    assert index_paths(map(str, found.values())) == {key: str(path) for key, path in found.items()}
