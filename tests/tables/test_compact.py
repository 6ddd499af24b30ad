import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.errors import DamagedTable, RequestError
from rare_neurons.tables import Part, compact_path, parts_of, read_metadata, read_table, write_compact, write_table


@pytest.fixture
def shards(tmp_path):
    """Shards of three steps, the second without rows, as that of a bad checkpoint."""
    found = []
    for step, n in ((0, 3), (2, 0), (16, 2)):
        rows = {"step": pa.array([step] * n, pa.int64()), "neuron": pa.array(range(n), pa.int64())}
        path = tmp_path / f"influence/p/m/step{step}.parquet"
        write_table(pa.table(rows | {"x": pa.array([step + 0.5] * n, pa.float64())}), path, {}, keys=["step", "neuron"])
        found.append(path)
    return found


def parts(tmp_path, shards, wanted=None):
    return parts_of(tmp_path, "influence", "m", shards=shards, wanted=shards if wanted is None else wanted)


def test_without_a_copy_each_shard_is_a_part(tmp_path, shards):
    assert parts(tmp_path, shards) == [Part(shard) for shard in shards]
    assert parts(tmp_path, shards, []) == []


def test_the_copy_has_the_rows_of_every_shard_under_its_number(tmp_path, shards):
    path = write_compact(tmp_path, "influence", "m", shards)
    assert path == compact_path(tmp_path, "influence", "m")
    assert parts(tmp_path, shards) == [Part(path, (0, 1, 2))]
    assert read_table(path).equals(pa.concat_tables([read_table(shard) for shard in shards]))
    for group, shard in enumerate(shards):
        assert parts(tmp_path, shards, [shard]) == [Part(path, (group,))]
        assert Part(path, (group,)).read(["x", "step", "y"]).equals(read_table(shard, ["step", "x"]))


def test_equal_shards_give_equal_bytes(tmp_path, shards):
    path = write_compact(tmp_path, "influence", "m", shards)
    first = path.read_bytes()
    assert write_compact(tmp_path, "influence", "m", shards).read_bytes() == first
    assert read_metadata(path)["model"] == "m"


@pytest.mark.parametrize("how", ["other rows", "an earlier time", "another step", "a step less"])
def test_a_copy_of_other_shards_is_not_taken(tmp_path, shards, how):
    write_compact(tmp_path, "influence", "m", shards)
    there = list(shards)
    if how == "other rows":
        write_table(read_table(shards[0]).slice(0, 1), shards[0], {}, keys=["step", "neuron"])
    elif how == "an earlier time":  # a shard that is restored
        os.utime(shards[2], ns=(0, shards[2].stat().st_mtime_ns - 1))
    elif how == "another step":
        there.append(shards[0].with_name("step32.parquet"))
        there[-1].write_bytes(shards[0].read_bytes())
    else:
        there.pop()
    assert parts(tmp_path, there) == [Part(shard) for shard in there]


def test_shards_of_two_versions_are_refused(tmp_path, shards):
    write_table(pa.table({"step": [16]}), shards[2], {}, keys=["step"])
    with pytest.raises(RequestError, match=r"step16.parquet and .*step0.parquet have different columns"):
        write_compact(tmp_path, "influence", "m", shards)
    assert not compact_path(tmp_path, "influence", "m").exists()


def test_damage_is_named_in_the_copy_and_never_copied(tmp_path, shards):
    path = write_compact(tmp_path, "influence", "m", shards)
    for damaged in (path, shards[0]):
        data = bytearray(damaged.read_bytes())
        data[20] ^= 1
        damaged.write_bytes(data)
    with pytest.raises(DamagedTable, match="compact/influence/m"):
        Part(path, (0,)).read(["x"])
    with pytest.raises(DamagedTable, match="step0"):
        write_compact(tmp_path, "influence", "m", shards)


def test_a_part_without_a_seal_is_read_too(tmp_path):
    pq.write_table(pa.table({"x": [1.0]}), tmp_path / "other.parquet")
    assert Part(tmp_path / "other.parquet").read(["x"]).to_pydict() == {"x": [1.0]}
