"""The portrait of a neuron: its sets, kinds with their flags, examples as text."""

import pandas as pd
import pyarrow as pa

from rare_neurons.atlas.arrays import unpack
from rare_neurons.atlas.tree import Subject, Tree
from rare_neurons.atlas.views.portrait import FLAGS, KINDS, examples_of, kinds_of, members_of
from rare_neurons.tables import read_table, write_table


def words(ids) -> str:
    return "".join(f"<{one}>" for one in ids)


def write(folder, table: str, rows) -> Tree:
    write_table(pa.Table.from_pylist(rows), folder / f"{table}/heldout/a/step8.parquet", {})
    return Tree(folder, [Subject("a", ("a",))], "heldout")


def kind(layer: int, neuron: int, name: str, triggers=(), length=None, **flags: bool) -> dict:
    row = {"layer": layer, "neuron": neuron, "kind": name, "n_active": neuron + 1, "n_positions": 9, "counted": True}
    return {**row, "triggers": list(triggers), "trigger_length": length, **dict.fromkeys(FLAGS, False), **flags}


def test_kinds_are_those_of_the_last_layer_with_flags_and_triggers(tmp_path):
    rows = [
        kind(0, 0, "dead"),
        kind(1, 1, "bigram_detector", [1, 2, 3, 4], 2, suppressor=True, positional=True),
        kind(1, 0, "other", silent=True),
    ]
    facts, arrays = kinds_of(write(tmp_path, "kinds", rows), "a", words)
    assert facts == {"steps": [8], "positions": [9], "triggers": [{"1": ["<1><2>", "<3><4>"]}], "counted": True}
    codes, flags, active = (unpack(arrays[f"{name}/a"]).tolist() for name in ("kinds", "flags", "active"))
    assert [KINDS[code] for code in codes[0]] == ["other", "bigram_detector"]
    assert [[name for bit, name in enumerate(FLAGS) if bits >> bit & 1] for bits in flags[0]] == [
        ["silent"],
        ["suppressor", "positional"],
    ]
    assert active == [[1, 2]]


def test_a_bad_checkpoint_has_no_kinds_and_others_keep_theirs(tmp_path):
    tree = write(tmp_path, "kinds", [kind(1, 0, "dead")])
    good = tmp_path / "kinds/heldout/a/step8.parquet"
    write_table(read_table(good).slice(0, 0), tmp_path / "kinds/heldout/a/step4.parquet", {})
    assert kinds_of(tree, "a", words)[0]["steps"] == [8]
    good.unlink()
    assert kinds_of(tree, "a", words) == (None, {})


def test_a_model_without_kinds_or_examples_has_none(tmp_path):
    tree = Tree(tmp_path, [Subject("a", ("a",))], "heldout")
    assert kinds_of(tree, "a", words) == (None, {})
    assert examples_of(tree, "a", words) == {}
    assert members_of(pd.DataFrame()) == {}


def test_examples_are_text_before_at_and_after_the_target(tmp_path):
    row = {"stratum": "rare", "sign": "all", "neuron": 7, "rank": 1, "effect": -0.0123456, "activation": 2.0}
    rows = [{**row, "target_id": 3, "before": [1, 2], "after": [4]}]
    found = examples_of(write(tmp_path, "examples", rows), "a", words)
    assert found == {"8": {"7": [["rare", "all", 1, -0.0123, 2.0, "<1><2>", "<3>", "<4>"]]}}


def test_members_are_found_by_their_neuron():
    row = {"stratum": "rare", "reference_step": 64, "rank": 1, "sign": -1, "birth": 2, "settled": 8}
    table = pd.DataFrame([{**row, "neuron": 7, "persistence": 2 / 3}])
    assert members_of(table) == {"rare": {"reference_step": 64, "neurons": {"7": [1, -1, 2, 8, 0.6667]}}}
