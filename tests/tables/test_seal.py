import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.errors import DamagedTable
from rare_neurons.tables import read_checked, read_metadata, read_table, write_table
from rare_neurons.tables.seal import check_whole

TABLE = pa.table({"name": ["a", "b"], "x": [1.0, 2.0], "n": [[1], [2, 3]]})
ABOUT = {"rule": "r", "params": {"tolerance": 1e-7}}
SEAL = 40


@pytest.fixture
def whole(tmp_path):
    write_table(TABLE, tmp_path / "t.parquet", ABOUT, keys=("name",))
    return (tmp_path / "t.parquet").read_bytes()


def flipped(data: bytes, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def refused(data: bytes) -> bool:
    try:
        check_whole(data)
    except ValueError:
        return True
    return False


def test_no_bit_of_a_file_can_flip_unseen(whole):
    assert check_whole(whole)
    seen = 0
    for bit in range(8 * len(whole)):
        with pytest.raises(ValueError, match=r"digest|mark|end of a Parquet file|claims"):
            check_whole(flipped(whole, bit))
        seen += 1
    assert seen == 8 * len(whole) > 10_000


def test_every_shorter_and_longer_file_is_refused(whole):
    assert all(refused(whole[:size]) for size in range(0, len(whole), 7))
    for extra in (bytes(1), bytes(512)):
        assert refused(whole + extra)
        assert refused(whole[:-8] + bytes(512) + whole[-8:])
        assert refused(whole[:100] + extra + whole[100:])


def test_zeroed_blocks_are_refused(whole):
    for start in range(0, len(whole), 16):
        assert refused(whole[:start] + bytes(16) + whole[start + 16 :])


def test_readers_that_do_not_know_the_seal_read_the_file(whole, tmp_path):
    path = tmp_path / "t.parquet"
    assert pq.read_table(path).drop_columns([]).to_pylist() == TABLE.to_pylist()
    assert pd.read_parquet(path)["x"].tolist() == [1.0, 2.0]
    assert pq.ParquetFile(path, memory_map=True).read(["n"])["n"].to_pylist() == [[1], [2, 3]]


@pytest.mark.parametrize("place", ["pages", "footer", "seal", "length"])
def test_damage_is_named_and_metadata_are_read_where_only_pages_are_hit(whole, tmp_path, place):
    path = tmp_path / "t.parquet"
    byte = {"pages": 30, "footer": -SEAL - 30, "seal": -8 - SEAL + 3, "length": -8}[place]
    path.write_bytes(flipped(whole, 8 * (byte % len(whole))))
    with pytest.raises(DamagedTable, match=r"t\.parquet is damaged: "):
        read_table(path)
    if place == "pages":
        assert read_metadata(path) == ABOUT
    else:
        with pytest.raises(DamagedTable):
            read_metadata(path)


def test_a_file_without_a_seal_is_read_by_its_page_checksums(tmp_path):
    """As earlier versions wrote it, or another program that keeps the metadata."""
    path = tmp_path / "t.parquet"
    values = pa.table({"x": np.random.default_rng(0).standard_normal(2000)})
    pq.write_table(values, path, write_page_checksum=True)
    assert read_checked(path)[1] is False
    assert read_table(path).equals(values)
    path.write_bytes(flipped(path.read_bytes(), 8 * 8000))
    with pytest.raises(DamagedTable, match="CRC"):
        read_table(path)


def test_a_mark_with_several_wrong_bits_is_no_file_without_a_seal(whole):
    mark = len(whole) - 8 - SEAL
    zeroed = bytearray(whole)
    zeroed[mark : mark + 2] = bytes(2)
    with pytest.raises(ValueError, match="the mark of its seal is damaged"):
        check_whole(bytes(zeroed))
