import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rare_neurons
from rare_neurons.errors import DamagedTable
from rare_neurons.numerics.influence.rows import GradientRow
from rare_neurons.results import load_influence, load_shards, load_timeline
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
    return tmp_path


def test_a_timeline_leaves_quarantined_checkpoints_out_unless_asked(results):
    assert load_timeline(results, "behaviour").num_rows == 6
    assert load_timeline(results, "behaviour", include_quarantined=True).num_rows == 8


def test_selection_by_model_step_stratum_and_column(results):
    table = load_influence(results, models="a", steps=[8], stratum="rare", columns=["neuron", "influence"])
    assert table.to_pydict() == {"neuron": [0, 1, 2], "influence": [8.0, 8.1, 8.2]}


def test_only_the_files_of_the_asked_steps_are_opened(results):
    (results / "influence/p/a/step0.parquet").write_bytes(b"not a table")
    assert load_influence(results, models="a", steps=[8]).num_rows == 6


def test_a_frame_on_request(results):
    frame = load_timeline(results, "behaviour", models=["a"], pandas=True)
    assert list(frame.columns)[:3] == ["panel", "model", "step"]


def test_what_is_missing_is_named_with_what_is_there(results):
    with pytest.raises(FileNotFoundError, match=r"no c in .*behaviour; there: a, b"):
        load_timeline(results, "behaviour", models="c")
    with pytest.raises(ValueError, match="no column lost; known: panel, model, step, stratum, loss, quarantined"):
        load_timeline(results, "behaviour", columns=["lost"])
    with pytest.raises(ValueError, match="unknown table 'influences'; known: influence, cells"):
        load_shards(results, "influences")


def test_public_names_load_on_first_use():
    assert rare_neurons.load_timeline is load_timeline
    assert set(rare_neurons.__all__) <= set(dir(rare_neurons))
    with pytest.raises(AttributeError, match="no attribute 'load_everything'"):
        _ = rare_neurons.load_everything


def test_any_column_selects_and_one_that_is_not_there_is_named(results):
    assert load_influence(results, models="a", neuron=[0, 2], stratum="rare").num_rows == 4
    with pytest.raises(ValueError, match="no column stratums; known: panel, model"):
        load_influence(results, stratums="rare")


def test_rows_are_in_the_order_of_their_keys_whatever_the_files_order(tmp_path):
    path = tmp_path / "gradients/p/a/step0.parquet"
    rows = [GradientRow(stratum, [float(i)]) for i, stratum in enumerate(("common", "mid", "rare"))]
    write_rows("gradients", from_rows("gradients", rows, {"panel": "p", "model": "a", "step": 0}), path, {})
    pq.write_table(pq.read_table(path).take([2, 0, 1]), path)
    assert load_shards(tmp_path, "gradients")["gradient"].to_pylist() == [[0.0], [1.0], [2.0]]
    assert load_shards(tmp_path, "gradients", columns=["gradient"])["gradient"].to_pylist() == [[0.0], [1.0], [2.0]]


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
