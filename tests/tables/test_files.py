import os
import platform
import stat
import subprocess
import sys
from dataclasses import dataclass

import pyarrow as pa
import pytest

from rare_neurons.errors import DamagedTable
from rare_neurons.stages.reporting import reported
from rare_neurons.tables import atomic_path, provenance, read_metadata, read_table, schema_of, write_table

TABLE = pa.table({"x": [1.0, 2.0]})
ABOUT = {"rule": "r", "n": 3}


def test_equal_content_gives_equal_bytes_and_comes_back(tmp_path):
    for name in ("a", "b"):
        write_table(TABLE, tmp_path / name / "t.parquet", ABOUT)
    assert (tmp_path / "a/t.parquet").read_bytes() == (tmp_path / "b/t.parquet").read_bytes()
    assert read_table(tmp_path / "a/t.parquet").equals(TABLE)
    assert read_metadata(tmp_path / "a/t.parquet") == ABOUT


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    write_table(TABLE, path, ABOUT)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rare_neurons.tables.files.pq.write_table", fail)
    with pytest.raises(OSError, match="No space left"):
        write_table(TABLE.slice(0, 1), path, ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]
    assert path.read_bytes() == before


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_writes_is_not(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        here = platform.node()
        left, used, elsewhere, old = (
            tmp_path / f".t.parquet.{owner}.part"
            for owner in (f"{here}-{dead.pid}", f"{here}-{alive.pid}", f"not-{here}-1", f"also.not-{here}-1")
        )
        for part in (left, used, elsewhere, old):
            part.touch()
        os.utime(old, (0, 0))
        write_table(TABLE, tmp_path / "t.parquet", ABOUT)
        assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "t.parquet", used, elsewhere])
        alive.communicate(b"\n")


def test_two_writers_of_one_file_do_not_meet(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    with atomic_path(path) as mine:
        mine.write_text("half of")
        monkeypatch.setattr("rare_neurons.tables.files.os.getpid", os.getppid)
        with atomic_path(path) as other:
            other.write_text("whole")
        assert path.read_text() == "whole"
        monkeypatch.undo()
        mine.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("size", [0, 3, 100])
def test_a_table_without_its_end_is_named(tmp_path, size):
    path = tmp_path / "t.parquet"
    write_table(TABLE, path, ABOUT)
    os.truncate(path, size)
    for read in (read_table, read_metadata):
        with pytest.raises(DamagedTable, match=rf"t\.parquet is damaged: it has {size} bytes"):
            read(path)


def test_a_job_removes_the_damaged_table_that_it_reads(tmp_path, capsys):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    os.truncate(path, 2)
    with pytest.raises(SystemExit), reported(tmp_path / "log"):
        read_table(path)
    assert not path.exists()
    assert "the next run makes it again" in capsys.readouterr().err


def test_files_are_readable_by_others(tmp_path):
    write_table(TABLE, tmp_path / "t.parquet", ABOUT)
    plain = tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE((tmp_path / "t.parquet").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_provenance_does_not_depend_on_the_order_of_keys():
    one = provenance("r", 1, {"a": 1, "b": 2}, {"x": "0", "y": "1"})
    two = provenance("r", 1, {"b": 2, "a": 1}, {"y": "1", "x": "0"})
    assert one == two
    assert provenance("r", 1, {"a": 2, "b": 2}, {})["params_sha256"] != one["params_sha256"]


def test_schemas_follow_from_result_dataclasses():
    @dataclass(frozen=True)
    class Row:
        n: int
        x: float | None
        ok: bool

    schema = schema_of(Row, [("model", pa.string())])
    assert [(f.name, f.type, f.nullable) for f in schema] == [
        ("model", pa.string(), False),
        ("n", pa.int64(), True),
        ("x", pa.float64(), True),
        ("ok", pa.bool_(), True),
    ]


def test_a_field_without_arrow_type_is_named():
    @dataclass(frozen=True)
    class Row:
        values: list

    with pytest.raises(TypeError, match=r"Row.values: .*list.* has no Arrow type"):
        schema_of(Row)
