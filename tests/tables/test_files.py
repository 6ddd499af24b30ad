import os
import platform
import stat
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.errors import DamagedTable
from rare_neurons.stages.reporting import reported
from rare_neurons.tables import atomic_path, read_metadata, read_table, write_table

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


def test_a_job_sets_the_damaged_table_aside_that_it_reads(tmp_path, capsys):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    os.truncate(path, 2)
    with pytest.raises(SystemExit), reported(tmp_path / "log"):
        read_table(path)
    assert [p.name for p in tmp_path.iterdir() if p.name != "log"] == ["t.parquet.damaged"]
    assert "the next run makes it again" in capsys.readouterr().err


def test_files_are_readable_by_others(tmp_path):
    write_table(TABLE, tmp_path / "t.parquet", ABOUT)
    plain = tmp_path / "plain"
    plain.write_text("")
    assert stat.S_IMODE((tmp_path / "t.parquet").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_flipped_bit_in_a_page_is_named(tmp_path):
    """Every page has a checksum: a bit that flips among the values is never read as another number."""
    rng = np.random.default_rng(0)
    path = tmp_path / "t.parquet"
    write_table(pa.table({"x": rng.standard_normal(5000)}), path, ABOUT)
    whole = path.read_bytes()
    # Values are 40 kB of noise that do not compress: any place in the first 30 kB but the page's own header is a value.
    for place in rng.integers(200, 30_000, 20):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(DamagedTable, match=r"t\.parquet is damaged: its pages do not have their digest"):
            read_table(path)
        # What pandas and others read it with, who do not know the seal.
        with pytest.raises(OSError, match="CRC"):
            pq.read_table(path, page_checksum_verification=True)


def test_rows_come_back_in_the_order_of_their_keys_whatever_the_files_order(tmp_path):
    """Another program may write the rows in another order, with the file's own metadata."""
    keyed = pa.table({"stratum": ["a", "a", "b"], "neuron": [0, 1, 0], "x": [1.0, 2.0, 3.0]})
    path = tmp_path / "t.parquet"
    write_table(keyed.take([2, 1, 0]), path, ABOUT, keys=("stratum", "neuron"))
    assert pq.read_table(path).drop_columns([]).to_pylist() == keyed.to_pylist()
    written = pq.read_table(path)
    pq.write_table(written.take([1, 2, 0]), path)
    assert read_table(path).to_pylist() == keyed.to_pylist()
    assert read_table(path, ["x"])["x"].to_pylist() == [1.0, 2.0, 3.0]


def test_two_rows_of_one_key_are_refused_on_writing_and_on_reading(tmp_path):
    twice = pa.table({"neuron": [0, 1, 1], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=r"two rows have the key \{'neuron': 1\}"):
        write_table(twice, tmp_path / "t.parquet", ABOUT, keys=("neuron",))
    write_table(twice.slice(0, 2), tmp_path / "t.parquet", ABOUT, keys=("neuron",))
    about = pq.read_schema(tmp_path / "t.parquet").metadata
    pq.write_table(twice.replace_schema_metadata(about), tmp_path / "t.parquet")
    with pytest.raises(DamagedTable, match="two rows have the key"):
        read_table(tmp_path / "t.parquet")
