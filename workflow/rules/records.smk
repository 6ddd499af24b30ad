"""Snakemake's own records of what was run: one file for each output, or one database (`persistence-backend: db`).

Requires: nothing.
Makes: nothing.
"""

import json
import sqlite3
from base64 import urlsafe_b64encode

RECORDS = Path(".snakemake/metadata.db")
IN_JSON = ("input", "log", "params", "input_checksums")
REMEMBERED = 64  # the outputs of a job are asked for one after the other, several times


def in_database() -> bool:
    """Whether records are in the database that Snakemake makes by itself; another one reads it as it likes."""
    settings = workflow.workflow_settings
    # Earlier Snakemakes know files alone.
    backend = getattr(settings, "persistence_backend", None)
    return str(backend) == "db" and settings.persistence_backend_db_url is None


def recorded(path: str) -> tuple[float, float] | None:
    """When the job began and ended that Snakemake has on record for a file; None where it has none."""
    try:
        found = (
            row_of(path, str(RECORDS.parent.absolute()))
            if in_database()
            else json.loads(record_file(path).read_text())
        )
        return found["starttime"], found["endtime"]
    except (
        OSError,
        ValueError,
        KeyError,
    ):  # Snakemake, too, takes a damaged record for none
        return None


def record_file(path: str) -> Path:
    """Where Snakemake keeps the record of an output that has a file of its own."""
    name = urlsafe_b64encode(path.encode()).decode()
    most = os.pathconf(".", "PC_NAME_MAX") - 1
    *folders, last = [name[i : i + most] for i in range(0, len(name), most)]
    return Path(".snakemake/metadata", *(f"@{part}" for part in folders), last)


def row_of(path: str, namespace: str) -> dict:
    """The record of an output in the database; empty where it has none."""
    global CONNECTION
    if CONNECTION is None:
        if not RECORDS.exists():
            return {}
        CONNECTION = sqlite3.connect(RECORDS)
        CONNECTION.row_factory = sqlite3.Row
    asked = "SELECT * FROM snakemake_metadata WHERE namespace = ? AND target = ?"
    try:
        row = CONNECTION.execute(asked, (namespace, path)).fetchone()
    except sqlite3.OperationalError:  # no run has made its tables yet
        return {}
    return {} if row is None else dict(row)


def read_record(self, key: str):
    """As Snakemake reads a record, without its object mapper: a tenth of the time, and of the memory."""
    known = self._metadata_cache
    if key not in known:
        row = row_of(key, self.namespace)
        for name in IN_JSON:
            if row.get(name) is not None:
                row[name] = json.loads(row[name])
        known[key] = (
            snakemake.persistence.MetadataRecord.model_validate(row) if row else None
        )
        if len(known) > REMEMBERED:
            known.popitem(last=False)
    return known[key]


CONNECTION = None
if in_database():
    import snakemake.persistence.db

    snakemake.persistence.db.DbPersistence._read_record = read_record
