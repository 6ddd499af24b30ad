"""What is shown of a run, on a terminal and elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from rare_neurons.cli.display import Display

PLANNED = {"event": "planned", "results": "there", "jobs": {"1": ["a", "probe", 4], "2": ["b", "probe", 4]}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shown():
    """A display on no terminal, its clock, and what it has written."""
    text, clock = io.StringIO(), Clock()
    return Display(Console(file=text, width=100), clock), clock, text.getvalue


def test_a_finished_line_tells_count_and_time_and_the_running_ones_the_time_left(shown):
    display, clock, text = shown
    with display:
        display.event(PLANNED)
        display.event({"event": "started", "jobs": [1, 2]})
        clock.now = 40.0
        display.event({"event": "finished", "job": 1})
    lines = [" ".join(line.split()) for line in text().splitlines()]
    assert lines == [
        "2 jobs: probe 8",
        "a probe 4 of 4 40 s",
        "b probe 0 of 4 40 s left",
        "1 of 2 jobs after 40 s, 40 s left",
    ]
    assert display.results == "there"


def test_a_warning_is_shown_once_and_other_output_not_at_all(shown):
    display, _, text = shown
    for line in (
        "warning: few types",
        "  0%| 3/7",
        "x.py:3: UserWarning: old",
        "warning: few types",
        "x: UserWarning: old",
    ):
        display.output(line + "\n")
    display.event({"event": "warning", "text": "few types"})
    assert text().splitlines() == ["warning: few types", "warning: old"]
    assert not display.said_why


def test_a_failure_shows_the_end_of_its_log(shown, tmp_path):
    display, _, text = shown
    log = tmp_path / "probe.log"
    log.write_text("one\ntwo\nthree\nerror: no memory\n")
    display.event(PLANNED)
    display.event({"event": "started", "jobs": [1]})
    display.event({"event": "failed", "job": 1, "rule": "probe", "logs": [str(tmp_path / "none"), str(log)]})
    assert "failed" in text()
    assert "error: no memory" in text()
    assert "one" not in text().split(str(log))[1].split()
    assert display.said_why


def test_an_error_before_any_job_is_shown_as_it_is(shown):
    display, _, text = shown
    display.event({"event": "error", "text": "the configuration is wrong:\n  - results: 3 is not allowed"})
    assert "  - results: 3 is not allowed" in text()
    assert display.said_why


def test_a_terminal_is_redrawn_and_left_with_finished_lines():
    text, clock = io.StringIO(), Clock()
    with Display(Console(file=text, width=100, force_terminal=True), clock) as display:
        display.event(PLANNED)
        display.event({"event": "started", "jobs": [1, 2]})
        clock.now = 5.0
        display.event({"event": "finished", "job": 1})
        display._live.refresh()
    assert "b                        probe             0 of 4     5 s left" in text.getvalue()
    assert "1 of 2 jobs after 5 s" in text.getvalue()
    assert "nothing" not in text.getvalue()
    display.event({"event": "nothing"})
    assert "Nothing to be done" in text.getvalue()


def test_a_long_job_of_several_checkpoints_is_told_while_it_runs(shown, tmp_path):
    display, clock, text = shown
    shards = [str(tmp_path / f"{step}") for step in (0, 1)]
    display.event({**PLANNED, "jobs": {"1": ["a", "probe", 2, shards]}})
    display.event({"event": "started", "jobs": [1]})
    Path(shards[0]).touch()
    clock.now = 31.0
    display._tell_now_and_then()
    assert " ".join(text().splitlines()[-2].split()) == "a probe 1 of 2 31 s left"
    display._tell_now_and_then()
    assert text().count("1 of 2") == 1
