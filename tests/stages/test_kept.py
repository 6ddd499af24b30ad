"""Finished tables of jobs that Snakemake calls failed, and when they may be used again."""

import os
import shutil

import pyarrow as pa
import pytest

from rare_neurons.stages import kept
from rare_neurons.stages.kept import FOLDER, Kept
from rare_neurons.tables import read_table, write_table

ABOUT = {"rule": "r", "rule_version": 1, "params": {"a": (1, 2)}, "inputs_sha256": "i"}
FOUND = {"status": "ok", "reason": None}


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def written(results, name="t/m/step0.parquet", about=ABOUT, **found):
    """Write a table and keep it; returns the outputs of its job."""
    outputs = {"t": str(results / name)}
    write_table(pa.table({"x": [1.5, 2.5]}), outputs["t"], {**about, **FOUND, **found}, keys=("x",))
    Kept(results).keep(outputs)
    return outputs


def test_what_a_failed_job_has_finished_comes_back_as_the_same_bytes(results):
    outputs = written(results)
    with open(outputs["t"], "rb") as file:
        before = file.read()
    os.remove(outputs["t"])
    assert Kept(results).restore(outputs, {"t": ABOUT})
    with open(outputs["t"], "rb") as file:
        assert file.read() == before


def test_a_kept_table_takes_no_room_and_leaves_no_temporary_name(results):
    outputs = written(results)
    (kept_name,) = (results / FOLDER).rglob("*.parquet")
    assert os.path.samefile(kept_name, outputs["t"])
    Kept(results).keep(outputs)  # again: renaming onto a name of the same file does nothing
    assert Kept(results).restore(outputs, {"t": ABOUT})
    assert [path for path in results.rglob("*") if path.name.endswith(".part")] == []


@pytest.mark.parametrize("change", [{"rule_version": 2}, {"params": {"a": (1, 3)}}, {"inputs_sha256": "j"}])
def test_other_parameters_inputs_or_versions_are_measured_anew(results, change):
    outputs = written(results)
    assert not Kept(results).restore(outputs, {"t": ABOUT | change})


def test_what_is_missing_damaged_or_bad_is_measured_anew(results):
    assert not Kept(results).restore({"t": str(results / "t/m/step4.parquet")}, {"t": ABOUT})
    bad = written(results, "t/m/step8.parquet", status="bad_checkpoint", reason="cut")
    assert not Kept(results).restore(bad, {"t": ABOUT})
    outputs = written(results)
    (place,) = (results / FOLDER).rglob("step0.parquet")
    content = bytearray(place.read_bytes())
    content[len(content) // 4] ^= 1
    place.write_bytes(content)
    assert not Kept(results).restore(outputs, {"t": ABOUT})
    assert not place.exists()


def test_where_files_can_have_one_name_only_they_are_copied(results, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(kept.os, "link", refuse)
    outputs = written(results)
    (place,) = (results / FOLDER).rglob("*.parquet")
    assert not os.path.samefile(place, outputs["t"])
    shutil.rmtree(results / "t")
    assert Kept(results).restore(outputs, {"t": ABOUT})
    assert read_table(outputs["t"])["x"].to_pylist() == [1.5, 2.5]


def test_nothing_is_kept_outside_the_results_or_without_them(results, tmp_path):
    outputs = {"t": str(tmp_path / "elsewhere.parquet")}
    write_table(pa.table({"x": [1]}), outputs["t"], ABOUT | FOUND)
    for one in (Kept(results), Kept(None)):
        one.keep(outputs)
        assert not one.restore(outputs, {"t": ABOUT})
    assert not results.exists()


def test_what_is_forced_is_made_anew_and_kept(results):
    outputs = written(results)
    forced = Kept(results, forced=True)
    assert not forced.restore(outputs, {"t": ABOUT})
    forced.keep(outputs)
    assert Kept(results).restore(outputs, {"t": ABOUT})
