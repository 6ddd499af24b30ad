"""Parquet tables: written whole or not at all, with equal bytes for equal content, and read back by column."""

import glob
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rare_neurons.errors import DamagedTable

PACKAGE_KEY = "rare_neurons"
_DAY_S = 24 * 3600.0
_MAGIC = b"PAR1"  # the first and last bytes of every Parquet file


def write_table(table: pa.Table, path: Path | str, metadata: Mapping[str, object]) -> None:
    """Write a table to Parquet atomically.

    The file appears under its name only when all of it is on the disk; a process killed while writing, or a full disk,
    leaves nothing under that name. Equal tables and metadata give equal bytes.

    Parameters
    ----------
    table : pyarrow.Table
    path : Path or str
        The folder is created where it does not exist.
    metadata : mapping
        Provenance (see `provenance`), kept as one JSON value under the key ``rare_neurons`` of the file.
    """
    text = json.dumps(metadata, sort_keys=True)
    table = table.replace_schema_metadata({PACKAGE_KEY: text})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=3, write_page_index=True)


class atomic_path:
    """Context manager: a temporary name beside `path` that becomes `path` when the block ends without an error."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: a job that outlives its Snakemake may write the same file as the one that replaces it.
        self.temporary = self.path.with_name(f".{self.path.name}.{platform.node()}-{os.getpid()}.part")
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            return
        with self.temporary.open("rb") as file:
            os.fsync(file.fileno())
        self.temporary.replace(self.path)
        for part in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.part"):
            with suppress(FileNotFoundError):  # another process may do the same
                if _is_abandoned(part):
                    part.unlink()


def _is_abandoned(part: Path) -> bool:
    """Whether a partial file's process was killed: here, it is gone; on another host, the file is a day old."""
    host, _, pid = part.name.removesuffix(".part").rpartition("-")
    if not host.endswith(f".{platform.node()}"):
        return time.time() - part.stat().st_mtime > _DAY_S
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # another user's
    return False


def read_table(path: Path | str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, or some of its columns; raises `DamagedTable` where its end is missing."""
    _check_end(path)
    return pq.read_table(path, columns=None if columns is None else list(columns))


def read_metadata(path: Path | str) -> dict[str, object]:
    """Read the provenance of a table; raises `DamagedTable` where its end is missing."""
    _check_end(path)
    found = pq.read_schema(path).metadata or {}
    if PACKAGE_KEY.encode() not in found:
        raise ValueError(f"{path} carries no {PACKAGE_KEY!r} metadata: it was not written by this package")
    return json.loads(found[PACKAGE_KEY.encode()])


def _check_end(path: Path | str) -> None:
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(_MAGIC), 0))
        if file.read() != _MAGIC:
            raise DamagedTable(path, size)
