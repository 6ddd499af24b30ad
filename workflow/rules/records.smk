"""Snakemake's own records of what was run: a file for all outputs of a job, or one database (`persistence-backend: db`).

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


def alike(records: list) -> bool:
    """Whether records say the same, apart from when."""
    first, *others = (
        {k: v for k, v in one.items() if k not in ("starttime", "endtime")}
        for one in records
    )
    return all(one == first for one in others)


def share(first: str, *others: str) -> None:
    """Make the others names of the first file; where there are no such links, they stay files of their own."""
    for other in others:
        # Snakemake's own names are base64: none is like this one.
        temporary = f"{other}~"
        Path(temporary).unlink(missing_ok=True)  # of a run that was killed
        try:
            os.link(first, temporary)
        except OSError:
            return
        os.replace(temporary, other)


def shared(files: type) -> type:
    """Snakemake's files as records, of which all outputs of a job share one.

    Snakemake writes the same for each output, but for the seconds in which it was made. Each name remains, as a link:
    whoever reads records finds them, and they are fewer inodes and, looked at one after the other, fewer files to read.
    """

    class SharedRecords(files):
        def __init__(self, *args, **kwargs):
            self.by_key, self.by_file = {}, {}
            super().__init__(*args, **kwargs)

        async def finished(self, job) -> None:
            await super().finished(job)
            self._clear_cache()
            keys = [self._get_key(f) for f in job.output]
            records = [self._read_record(key) for key in keys]
            if len(keys) > 1 and None not in records and alike(records):
                records[0].starttime = min(one.starttime for one in records)
                records[0].endtime = max(one.endtime for one in records)
                # Beside the others until it takes their places: a kill leaves a record of each.
                one = f"{keys[0]}~"
                self._write_record(one, records[0])
                share(
                    *(self._record_path(self._metadata_path, k) for k in (one, *keys))
                )
                self._delete_record(one)
            self._clear_cache()

        def _write_record(self, key: str, record) -> None:
            # Snakemake writes into the file that is there: what it says of other outputs stays as it is.
            Path(self._record_path(self._metadata_path, key)).unlink(missing_ok=True)
            super()._write_record(key, record)

        def _read_record(self, key: str):
            if key not in self.by_key:
                if len(self.by_key) > REMEMBERED:
                    self.by_key.clear()
                self.by_key[key] = self.record_in_file(key)
            return self.by_key[key]

        def record_in_file(self, key: str):
            try:
                found = os.stat(self._record_path(self._metadata_path, key))
            except OSError:
                return None
            file = (found.st_dev, found.st_ino)
            if file not in self.by_file:
                if len(self.by_file) > REMEMBERED:
                    self.by_file.clear()
                self.by_file[file] = super()._read_record(key)
            return self.by_file[file]

        def _clear_cache(self) -> None:
            self.by_key.clear()
            self.by_file.clear()
            super()._clear_cache()

    return SharedRecords


CONNECTION = None
if in_database():
    import snakemake.persistence.db

    snakemake.persistence.db.DbPersistence._read_record = read_record
# Earlier Snakemakes know one kind of records, by another name. A module's workflow is read after that of the module.
elif (
    getattr(snakemake.workflow, "FilePersistence", shared).__name__ == "FilePersistence"
):
    snakemake.workflow.FilePersistence = shared(snakemake.workflow.FilePersistence)
