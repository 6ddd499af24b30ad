"""Parquet tables.

files       written whole or not at all, with equal bytes for equal content, and read back by column
provenance  what went into a file
schema      Arrow schemas from result dataclasses
"""

from rare_neurons.tables.files import atomic_path, read_metadata, read_table, write_table
from rare_neurons.tables.provenance import digest_of, file_sha256, provenance
from rare_neurons.tables.schema import schema_of

__all__ = [
    "atomic_path",
    "digest_of",
    "file_sha256",
    "provenance",
    "read_metadata",
    "read_table",
    "schema_of",
    "write_table",
]
