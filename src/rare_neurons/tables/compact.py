"""One file for all shards of a table and model: the same rows, opened and checked once.

A copy for readers, made on request; the shards stay what was measured. It is taken only while every shard is there with
the size and time that it had, and none besides: what is measured again is read from its shards.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rare_neurons.errors import DamagedTable, RequestError
from rare_neurons.tables.files import WRITING, about_file, atomic_path, keys_of, read_checked, read_metadata, read_table
from rare_neurons.tables.seal import add_seal

SHARDS = "shards"


def compact_path(results: Path | str, name: str, model: str) -> Path:
    """Path of the copy of a table's shards of one model."""
    return Path(results) / "compact" / name / f"{model}.parquet"


def write_compact(results: Path | str, name: str, model: str, shards: Sequence[Path]) -> Path:
    """Copy the rows of all shards into one file, a row group for each shard; one shard at a time is in memory.

    Parameters
    ----------
    results : Path or str
        The results folder.
    name, model : str
        The table and the model.
    shards : sequence of Path
        All shards of the two, in the order of their keys.

    Raises
    ------
    RequestError
        If the shards do not have the same columns, as those of two versions of the package.
    DamagedTable
        If a shard is not as it was written.
    """
    path = compact_path(results, name, model)
    # Before they are read: a shard that is replaced meanwhile has another time afterwards.
    stamps = _stamps(results, shards)
    first = read_table(shards[0]).schema
    about = about_file({"table": name, "model": model, SHARDS: stamps}, keys_of(first))
    with atomic_path(path) as temporary:
        with pq.ParquetWriter(temporary, first.with_metadata(about), **WRITING) as writer:
            for shard in shards:
                table = read_table(shard)
                if not table.schema.equals(first):
                    raise RequestError(
                        f"{shard} and {shards[0]} have different columns, so they cannot be one file; "
                        "run the workflow, which measures again what another version has written"
                    )
                writer.write_table(table, row_group_size=max(table.num_rows, 1))
        add_seal(temporary)
    return path


@dataclass(frozen=True)
class Part:
    """A file, or some of its row groups."""

    path: Path
    groups: tuple[int, ...] | None = None

    def read(self, names: Collection[str]) -> pa.Table:
        """Read those of the columns that the file has, checked.

        Raises
        ------
        DamagedTable
            If a byte is not the one that was written.
        """
        data, sealed = read_checked(self.path)
        try:
            file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=not sealed)
            there = [name for name in file.schema_arrow.names if name in names]
            if self.groups is None:
                return file.read(there, use_threads=False)
            return file.read_row_groups(self.groups, columns=there)
        except (OSError, ValueError) as error:  # Arrow's own kinds of damage are subclasses of both
            raise DamagedTable(self.path, str(error)) from error


def parts_of(
    results: Path | str, name: str, model: str, *, shards: Sequence[Path], wanted: Sequence[Path]
) -> list[Part]:
    """Find the rows of the wanted shards: each by itself, or in the copy, where it is of all shards as they are."""
    path = compact_path(results, name, model)
    if not wanted or not path.is_file() or read_metadata(path).get(SHARDS) != _stamps(results, shards):
        return [Part(shard) for shard in wanted]
    group = {shard: number for number, shard in enumerate(shards)}
    return [Part(path, tuple(group[shard] for shard in wanted))]


def _stamps(results: Path | str, shards: Sequence[Path]) -> list[list[str | int]]:
    """Name, size and time of each file. A shard that is restored has an earlier time, so newer is not enough."""
    found = ((shard.relative_to(results).as_posix(), shard.stat()) for shard in shards)
    return [[name, seen.st_size, seen.st_mtime_ns] for name, seen in found]
