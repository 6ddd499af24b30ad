"""Snakemake's records as events, and the plugin as Snakemake finds it."""

import json
import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from snakemake_logger_plugin_rare_neurons import LogHandler, LogHandlerSettings, event_of


def record(message: str | None, level: int = logging.INFO, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": level, **more})


@pytest.mark.parametrize(
    ("given", "event"),
    [
        (record("", planned={"jobs": {}, "results": "r"}), {"event": "planned", "jobs": {}, "results": "r"}),
        (record("", event=LogEvent.JOB_STARTED, jobs=[3, 4]), {"event": "started", "jobs": [3, 4]}),
        (record("x", event=LogEvent.JOB_FINISHED, job_id=3), {"event": "finished", "job": 3}),
        (
            record("x", logging.ERROR, event=LogEvent.JOB_ERROR, jobid=3, rule_name="probe", log=["a.log"]),
            {"event": "failed", "job": 3, "rule": "probe", "logs": ["a.log"]},
        ),
        (record("beware", logging.WARNING), {"event": "warning", "text": "beware"}),
        (record("wrong", logging.ERROR), {"event": "error", "text": "wrong"}),
        (record("Nothing to be done (all …)."), {"event": "nothing"}),
        (record("Building DAG of jobs..."), None),
        (record(None, event=LogEvent.RULEGRAPH), None),
    ],
)
def test_what_a_display_needs_of_a_record(given, event):
    assert event_of(given) == event


def test_snakemake_finds_the_plugin_by_its_name():
    plugin = LoggerPluginRegistry().get_plugin("rare-neurons")
    assert plugin.log_handler is LogHandler


def test_events_are_lines_of_json(tmp_path):
    handler = LogHandler(SimpleNamespace(), LogHandlerSettings(events=tmp_path / "events"))
    handler.emit(record("Building DAG of jobs..."))
    handler.emit(record("beware", logging.WARNING))
    handler.close()
    assert [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()] == [
        {"event": "warning", "text": "beware"}
    ]


def test_without_a_file_the_handler_says_which_option_names_it():
    with pytest.raises(ValueError, match="needs --logger-rare-neurons-events FILE"):
        LogHandler(SimpleNamespace(), LogHandlerSettings())
