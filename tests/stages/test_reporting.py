import sys

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.stages.reporting import bar, reported


def test_stderr_goes_to_the_terminal_and_to_the_log(tmp_path, capsys):
    terminal = sys.stderr
    with reported(tmp_path / "logs/job.log"):
        print("measured", file=sys.stderr)
        sys.stderr.write("\r10 %")
        sys.stderr.flush()
    assert sys.stderr is terminal
    assert capsys.readouterr().err == "measured\n\r10 %"
    assert (tmp_path / "logs/job.log").read_text() == "measured\n"  # redrawn lines of bars stay out


@pytest.mark.parametrize("fault", [RequestError("lower it"), ConnectionError("no network")])
def test_a_fault_with_a_sentence_ends_with_it(tmp_path, capsys, fault):
    with pytest.raises(SystemExit) as ended, reported(tmp_path / "job.log"):
        raise fault
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"error: {fault}\n"
    assert (tmp_path / "job.log").read_text() == f"error: {fault}\n"


def test_a_fault_of_the_machine_leaves_its_traceback_in_the_log_and_goes_on(tmp_path, capsys):
    terminal = sys.stderr
    with pytest.raises(ZeroDivisionError), reported(tmp_path / "job.log"):
        _ = 1 / 0
    assert sys.stderr is terminal
    assert "ZeroDivisionError: division by zero" in (tmp_path / "job.log").read_text()
    assert capsys.readouterr().err == ""


def test_a_bar_gives_the_items_and_names_what_it_counts(tmp_path, capsys):
    assert list(bar(range(3), label="text x", total=3)) == [0, 1, 2]
    assert "text x" in capsys.readouterr().err


def test_a_job_that_has_nothing_to_say_leaves_no_log(tmp_path):
    log = tmp_path / "logs/job.log"
    with reported(log):
        print("\r 50 %", end="", file=sys.stderr)
    assert not log.exists()
    with pytest.raises(KeyError), reported(log):
        raise KeyError("a wrong name")
    assert "a wrong name" in log.read_text()
