"""Snakemake's log as one JSON object a line, for the display of `rare-neurons run`; Snakemake finds it by its name.

A package of its own beside `rare_neurons`, which knows no Snakemake.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

_NOTHING = "Nothing to be done"


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Settings of the command line: ``--logger-rare-neurons-events FILE``."""

    events: Path | None = field(default=None, metadata={"help": "where events are written", "type": Path})


class LogHandler(LogHandlerBase):
    """Write the events that a display needs."""

    writes_to_stream = writes_to_file = needs_rulegraph = False
    has_filter = has_formatter = True

    def __post_init__(self) -> None:
        """Open the file of events."""
        path = self.settings.events if self.settings is not None else None
        if path is None:
            raise ValueError("--logger rare-neurons needs --logger-rare-neurons-events FILE")
        self._file = path.open("w", buffering=1, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one event."""
        event = event_of(record)
        if event is not None:
            self._file.write(json.dumps(event) + "\n")

    def close(self) -> None:
        """Close the file of events."""
        self._file.close()
        super().close()


def event_of(record: logging.LogRecord) -> Mapping[str, object] | None:
    """Return what a display needs of a record; None where that is nothing."""
    kind, said = getattr(record, "event", None), record.__dict__
    if "planned" in said:
        return {"event": "planned", **said["planned"]}
    if kind == LogEvent.JOB_STARTED:
        return {"event": "started", "jobs": list(said["jobs"])}
    if kind == LogEvent.JOB_FINISHED:
        return {"event": "finished", "job": said["job_id"]}
    if kind == LogEvent.JOB_ERROR:
        return {"event": "failed", "job": said["jobid"], "rule": said["rule_name"], "logs": list(said["log"] or ())}
    text = record.getMessage().strip() if record.msg else ""
    if kind is None and text and record.levelno >= logging.WARNING:
        return {"event": "error" if record.levelno >= logging.ERROR else "warning", "text": text}
    return {"event": "nothing"} if text.startswith(_NOTHING) else None
