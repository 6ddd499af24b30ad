import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rare_neurons
from rare_neurons.errors import DamagedTable, RequestError
from rare_neurons.numerics.influence.rows import GradientRow
from rare_neurons.results import (
    MissingSteps,
    list_models,
    load_evidence,
    load_influence,
    load_integrity,
    load_shards,
    load_spectra,
    load_timeline,
)
from rare_neurons.tables import from_rows, write_rows


@pytest.fixture
def results(tmp_path):
    """Two models, two steps, two strata; one checkpoint quarantined."""
    for model in ("a", "b"):
        rows = []
        for step in (0, 8):
            shard = [
                {"panel": "p", "model": model, "step": step, "neuron": n, "stratum": s, "influence": step + n / 10}
                for s in ("common", "rare")
                for n in range(3)
            ]
            path = tmp_path / f"influence/p/{model}/step{step}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(shard), path)
            rows += [
                {
                    "panel": "p",
                    "model": model,
                    "step": step,
                    "stratum": s,
                    "loss": 5.0,
                    "quarantined": step == 8 and model == "b",
                }
                for s in ("common", "rare")
            ]
        path = tmp_path / f"timelines/behaviour/{model}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
        for step in (0, 8):
            put(tmp_path / f"spectra/{model}/step{step}.parquet", "spectra", model, step)
        put(tmp_path / f"integrity/{model}.parquet", "integrity", model, 0, 8)
    evidence = [{"subject": "s", "question": q, "tier": "run", "model": "a", "step": 8} for q in "xy"]
    path = tmp_path / "timelines/evidence/s.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(evidence), path)
    return tmp_path


def put(path, kind, model, *steps):
    """Rows of spectra, or of verdicts."""
    own = {"layer": 0, "matrix": "W_in", "alpha": 2.5} if kind == "spectra" else {"status": "ok", "quarantined": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([{"model": model, "step": step, **own} for step in steps]), path)


def test_a_timeline_leaves_quarantined_checkpoints_out_unless_asked(results):
    assert len(load_timeline(results, "behaviour")) == 6
    assert len(load_timeline(results, "behaviour", include_quarantined=True)) == 8


def test_selection_by_model_step_stratum_and_column(results):
    chosen = {"models": ["a"], "steps": [8], "stratum": ["rare"], "columns": ["neuron", "influence"]}
    table = load_influence(results, **chosen, format="arrow")
    assert table.to_pydict() == {"neuron": [0, 1, 2], "influence": [8.0, 8.1, 8.2]}


def test_only_the_files_of_the_asked_steps_are_opened(results):
    (results / "influence/p/a/step0.parquet").write_bytes(b"not a table")
    assert len(load_influence(results, models="a", steps=[8])) == 6


@pytest.mark.parametrize(
    ("load", "chosen"),
    [
        (load_influence, {"models": "a", "steps": 8, "columns": "influence", "neuron": 1, "stratum": "rare"}),
        (load_influence, {"models": "a", "steps": np.int64(8), "columns": "influence", "neuron": np.int32(1)}),
        (load_spectra, {"models": "a", "steps": 8, "columns": "alpha", "layer": 0}),
        (load_integrity, {"models": "a", "steps": 8, "columns": "status", "status": "ok"}),
        (load_evidence, {"subjects": "s", "columns": "question", "tier": "run"}),
    ],
)
def test_one_value_is_taken_where_a_list_is(results, load, chosen):
    listed = {name: [value] for name, value in chosen.items()}
    one, several = load(results, **chosen), load(results, **listed)
    assert isinstance(one, pd.DataFrame)
    assert len(one) > 0
    pd.testing.assert_frame_equal(one, several)


def test_a_timeline_takes_one_value_too(results):
    found = load_timeline(results, "behaviour", models="a", steps=8, columns="loss", stratum="rare")
    assert found.to_dict("list") == {"loss": [5.0]}


def test_a_frame_is_the_default_and_arrow_comes_on_request(results):
    frame = load_timeline(results, "behaviour", models=["a"])
    assert list(frame.columns)[:3] == ["panel", "model", "step"]
    table = load_timeline(results, "behaviour", models=["a"], format="arrow")
    assert isinstance(table, pa.Table)
    pd.testing.assert_frame_equal(table.to_pandas(), frame)
    with pytest.raises(RequestError, match="no format 'polars'; there: pandas, arrow"):
        load_timeline(results, "behaviour", format="polars")
    with pytest.raises(RequestError, match=r"no column 'pandas' .*a data frame is the default, format='arrow'"):
        load_timeline(results, "behaviour", pandas=True)


LOADERS = {
    "timeline": lambda folder, **chosen: load_timeline(folder, "behaviour", **chosen),
    "shards": lambda folder, **chosen: load_shards(folder, "influence", **chosen),
    "influence": load_influence,
    "spectra": load_spectra,
    "integrity": load_integrity,
}


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"models": "A"}, r"no model 'A' in .*; near: a; there: a, b"),
        ({"models": ["a", "c"]}, r"no model 'c' in .*; there: a, b"),
        ({"models": []}, "models: an empty list"),
        ({"steps": 9}, r"no step 9 in .*; near: 0, 8; there: 0, 8"),
        ({"steps": [8, 99, 7]}, r"no step 7, 99 in .*; near: 0, 8; there: 0, 8"),
        ({"steps": "8"}, "steps='8': a step is a whole number"),
        ({"columns": "stepp"}, r"no column 'stepp' in .*; near: step; there: .*model"),
        ({"stratums": "rare"}, r"no column 'stratums' in "),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(results, loader, chosen, message):
    with pytest.raises(ValueError, match=message):
        LOADERS[loader](results, **chosen)


@pytest.mark.parametrize("loader", ["timeline", "shards", "influence"])
def test_a_misspelt_stratum_is_refused_and_not_an_empty_table(results, loader):
    with pytest.raises(RequestError, match=r"no stratum 'rear' in .*; near: rare; there: common, rare"):
        LOADERS[loader](results, stratum="rear")
    with pytest.raises(RequestError, match=r"no stratum 3 in .*; there: common, rare"):
        LOADERS[loader](results, stratum=["rare", 3])


def test_other_misspelt_values_are_refused_too(results):
    with pytest.raises(RequestError, match=r"no panel 'q' in .*; there: p"):
        load_influence(results, panel="q")
    with pytest.raises(RequestError, match=r"no neuron 7 in .*; near: 0, 1, 2; there: 0, 1, 2"):
        load_influence(results, neuron=[0, 7])
    with pytest.raises(RequestError, match=r"no matrix 'W_on' in .*; near: W_in; there: W_in"):
        load_spectra(results, matrix="W_on")
    with pytest.raises(RequestError, match=r"no subject 'a' in .*evidence; there: s"):
        load_evidence(results, subjects="a")
    with pytest.raises(RequestError, match=r"no tier 'runs' in .*; near: run; there: .*run"):
        load_evidence(results, tier="runs")
    with pytest.raises(RequestError, match=r"no column 'questions' in .*; near: question; there: "):
        load_evidence(results, columns="questions")
    with pytest.raises(RequestError, match=r"no quantity 'behavior' in timelines; near: behaviour.*; there: .*moments"):
        load_timeline(results, "behavior")
    with pytest.raises(RequestError, match=r"no table 'influences' in .*; near: influence.*; there: influence, cells"):
        load_shards(results, "influences")
    with pytest.raises(RequestError, match=r"no moments in .*timelines; there: behaviour, evidence"):
        load_timeline(results, "moments")
    with pytest.raises(RequestError, match=r"no influence: there is no results folder .*nowhere"):
        load_influence(results / "nowhere")


def test_a_step_that_some_models_lack_is_named(results):
    (results / "influence/p/b/step8.parquet").unlink()
    with pytest.warns(MissingSteps, match=r"no step 8 of b in .*influence; there: 0") as caught:
        found = load_influence(results, steps=[0, 8], stratum="rare")
    assert caught[0].filename == __file__
    assert sorted(set(zip(found.model, found.step, strict=True))) == [("a", 0), ("a", 8), ("b", 0)]
    with pytest.warns(
        MissingSteps, match=r"step 8 of b is quarantined and left out; include_quarantined=True"
    ) as caught:
        assert set(load_timeline(results, "behaviour", steps=8).model) == {"a"}
    assert caught[0].filename == __file__
    assert set(load_timeline(results, "behaviour", steps=8, include_quarantined=True).model) == {"a", "b"}


def test_models_are_those_with_verdicts_or_else_those_with_any_shard(results, tmp_path):
    assert list_models(results) == ["a", "b"]
    for model in "ab":
        (results / f"integrity/{model}.parquet").unlink()
    assert list_models(results) == ["a", "b"]


def test_reading_needs_pandas_and_pyarrow_alone(results):
    blocked = """
import sys
allowed = {"pandas", "pyarrow", "numpy", "dateutil", "pytz", "tzdata", "six", "rare_neurons"}
class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
sys.meta_path.insert(0, Only())
import rare_neurons
frame = rare_neurons.load_timeline(sys.argv[1], "behaviour", stratum="rare")
shard = rare_neurons.load_influence(sys.argv[1], models="a", steps=8)
assert len(frame) == 3 and len(shard) == 6
try:
    rare_neurons.measure_influence
except ImportError as error:
    print(error)
else:
    raise SystemExit("measured without torch")
"""
    done = subprocess.run([sys.executable, "-c", blocked, str(results)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search("measure_influence needs (torch|transformers), which is not installed", done.stdout)


def test_public_names_load_on_first_use():
    assert rare_neurons.load_timeline is load_timeline
    assert set(rare_neurons.__all__) <= set(dir(rare_neurons))
    with pytest.raises(AttributeError, match="no attribute 'load_everything'"):
        _ = rare_neurons.load_everything


def test_any_column_selects(results):
    assert len(load_influence(results, models="a", neuron=[0, 2], stratum="rare")) == 4


def test_rows_are_in_the_order_of_their_keys_whatever_the_files_order(tmp_path):
    path = tmp_path / "gradients/p/a/step0.parquet"
    rows = [GradientRow(stratum, [float(i)]) for i, stratum in enumerate(("common", "mid", "rare"))]
    write_rows("gradients", from_rows("gradients", rows, {"panel": "p", "model": "a", "step": 0}), path, {})
    pq.write_table(pq.read_table(path).take([2, 0, 1]), path)
    for columns in (None, "gradient"):
        assert [*map(list, load_shards(tmp_path, "gradients", columns=columns).gradient)] == [[0.0], [1.0], [2.0]]


def test_a_column_that_a_file_does_not_have_is_null_there(results):
    path = results / "influence/p/a/step8.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["influence"]), path)
    table = load_influence(results, models="a", stratum="rare", format="arrow")
    assert table["influence"].to_pylist() == [0.0, 0.1, 0.2, None, None, None]
    assert len(load_influence(results, models="a", influence=[0.1])) == 2


def test_a_flipped_bit_is_named_and_not_read_as_another_number(tmp_path):
    path = tmp_path / "gradients/p/a/step0.parquet"
    values = np.random.default_rng(0).standard_normal(4000).tolist()
    place = {"panel": "p", "model": "a", "step": 0}
    write_rows("gradients", from_rows("gradients", [GradientRow("rare", values)], place), path, {})
    load_shards(tmp_path, "gradients")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # among the values, which make nearly all of the file
    path.write_bytes(damaged)
    with pytest.raises(DamagedTable, match="its pages do not have their digest"):
        load_shards(tmp_path, "gradients")
