"""Parquet tables.

files       written whole or not at all, with equal bytes for equal content, and checked when they are read
compact     all shards of a table and model in one file, for readers
keyed       rows in the order of their keys, checked on every reading
paths       which table a path of a results tree is, and of what
provenance  what went into a file
seal        digests of all bytes in a file's tail, which other readers skip
schema      Arrow schemas, with units and meanings, from the rows that the catalogue names
rows        tables of the catalogue, from rows or columns
"""

from rare_neurons.sums import file_sha256
from rare_neurons.tables.compact import Part, compact_path, parts_of, write_compact
from rare_neurons.tables.files import (
    atomic_path,
    keys_of,
    read_checked,
    read_footer,
    read_metadata,
    read_table,
    write_table,
)
from rare_neurons.tables.keyed import in_order, sort_rows
from rare_neurons.tables.paths import Key, find_tables, index_paths, key_of
from rare_neurons.tables.provenance import digest_of, digest_of_files, provenance
from rare_neurons.tables.rows import empty_table, from_columns, from_rows, write_rows
from rare_neurons.tables.schema import table_entry, table_schema

__all__ = [
    "Key",
    "Part",
    "atomic_path",
    "compact_path",
    "digest_of",
    "digest_of_files",
    "empty_table",
    "file_sha256",
    "find_tables",
    "from_columns",
    "from_rows",
    "in_order",
    "index_paths",
    "key_of",
    "keys_of",
    "parts_of",
    "provenance",
    "read_checked",
    "read_footer",
    "read_metadata",
    "read_table",
    "sort_rows",
    "table_entry",
    "table_schema",
    "write_compact",
    "write_rows",
    "write_table",
]
