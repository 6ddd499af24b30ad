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
from rare_neurons.tables.keyed import sort_rows
from rare_neurons.tables.seal import MAGIC, add_seal, check_whole, read_end

PACKAGE_KEY, KEYS_KEY = "rare_neurons", "rare_neurons.keys"
WRITING = {"compression": "zstd", "compression_level": 3, "write_page_index": True, "write_page_checksum": True}
"""Options of every Parquet file."""
_DAY_S = 24 * 3600.0


def write_table(table: pa.Table, path: Path | str, metadata: Mapping[str, object], *, keys: Sequence[str] = ()) -> None:
    """Write a table to Parquet atomically, with a checksum on every page and a seal on all bytes.

    The file appears under its name only when all of it is on the disk; a process killed while writing, or a full disk,
    leaves nothing under that name. Equal tables and metadata give equal bytes.

    Parameters
    ----------
    table : pyarrow.Table
    path : Path or str
        The folder is created where it does not exist.
    metadata : mapping
        Provenance (see `provenance`), kept as one JSON value under the key ``rare_neurons`` of the file.
    keys : sequence of str
        Columns that tell rows apart; rows are written in their order, and a reader checks it.

    Raises
    ------
    ValueError
        If two rows have the same key.
    """
    table = sort_rows(table, keys).replace_schema_metadata(about_file(metadata, keys))
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, **WRITING)
        add_seal(temporary)


def about_file(metadata: Mapping[str, object], keys: Sequence[str]) -> dict[str, str]:
    """Metadata of a file: its provenance, and the columns that tell its rows apart."""
    return {PACKAGE_KEY: json.dumps(metadata, sort_keys=True), KEYS_KEY: json.dumps(list(keys))}


class atomic_path:
    """Context manager: a temporary name beside `path` that becomes `path` when the block ends without an error."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def __enter__(self) -> Path:
        """Return the temporary name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: a job that outlives its Snakemake may write the same file as the one that replaces it.
        self.temporary = self.path.with_name(f".{self.path.name}.{platform.node()}-{os.getpid()}.part")
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Rename the file, or remove it after an error."""
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
    """Read a table, or some of its columns, with the rows in the order of their keys whatever the file's order.

    All bytes are checked first, also those of columns that are not asked for.

    Raises
    ------
    DamagedTable
        If a byte is not the one that was written, or two rows have the same key.
    """
    data, sealed = read_checked(path)
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=not sealed)
        keys = keys_of(file.schema_arrow)
        wanted = None if columns is None else list(dict.fromkeys([*columns, *keys]))
        table = sort_rows(file.read(columns=wanted), keys)
    except (OSError, ValueError) as error:  # Arrow's own kinds of damage are subclasses of both
        raise DamagedTable(path, str(error)) from error
    return table if columns is None else table.select(list(columns))


def read_checked(path: Path | str) -> tuple[pa.Buffer, bool]:
    """Read all bytes of a file and check its seal; also say whether it has one.

    Bytes are checked and parsed from one reading, so that nothing can change in between. A file without a seal was
    written by another program, or an earlier version, and without xxhash none can be checked: then page checksums are
    all there is.

    Raises
    ------
    DamagedTable
        If a byte is not the one that was written.
    """
    data = Path(path).read_bytes()
    try:
        sealed = check_whole(data)
    except ValueError as error:
        raise DamagedTable(path, str(error)) from error
    return pa.py_buffer(data), sealed


def read_metadata(path: Path | str) -> dict[str, object]:
    """Read the provenance of a table, from its footer alone; `DamagedTable` where that is not as it was."""
    found = read_footer(path).metadata or {}
    if PACKAGE_KEY.encode() not in found:
        raise ValueError(f"{path} carries no {PACKAGE_KEY!r} metadata: it was not written by this package")
    return json.loads(found[PACKAGE_KEY.encode()])


def read_footer(path: Path | str) -> pa.Schema:
    """Read the schema of a table, from its footer alone; `DamagedTable` where that is not as it was."""
    with Path(path).open("rb") as file:
        try:
            # A footer between the magic numbers is a file whose pages nobody asks for.
            return pq.read_schema(pa.BufferReader(MAGIC + read_end(file)))
        except (OSError, ValueError) as error:
            raise DamagedTable(path, str(error)) from error


def keys_of(schema: pa.Schema) -> list[str]:
    """Columns that tell the rows of a file apart, as its writer named them."""
    return json.loads((schema.metadata or {}).get(KEYS_KEY.encode(), b"[]"))
