"""Counts and time left, from events at given times."""

import pytest

from rare_neurons.cli.progress import Progress, duration, stamp_of

JOBS = {"1": ["a", "probe", 4], "2": ["b", "probe", 4], "3": ["a", "metrics", 4], "4": ["all", "summary", 1]}


@pytest.fixture
def progress():
    found = Progress()
    found.plan(JOBS, "results")
    return found


def test_a_line_for_each_model_and_stage_counts_checkpoints(progress):
    assert [(line.model, line.stage, line.done, line.total) for line in progress.lines.values()] == [
        ("a", "probe", 0, 4),
        ("b", "probe", 0, 4),
        ("a", "metrics", 0, 4),
        ("all", "summary", 0, 1),
    ]
    assert progress.n_jobs == 4


def test_time_left_is_that_of_the_same_stage_in_other_models(progress):
    line = progress.lines["b", "probe"]
    assert progress.seconds_left(line) is None
    progress.start([1, 2], 10.0)
    assert [one.model for one in progress.running] == ["a", "b"]
    assert progress.finish(1, 18.0) is progress.lines["a", "probe"]  # 2 s a checkpoint
    assert progress.seconds_left(line) == 8.0
    assert progress.all_left() == (8.0, False)  # metrics and summary are not known
    assert (progress.n_done, [one.model for one in progress.running]) == (1, ["b"])


def test_several_jobs_of_a_line_and_one_that_fails():
    progress = Progress()
    progress.plan({"1": ["a", "probe", 1], "2": ["a", "probe", 1]}, "results")
    progress.start(["1", "2"], 0.0)
    assert progress.finish("1", 3.0) is None
    line = progress.fail("2")
    assert (line.done, line.total, line.complete, progress.running, progress.n_done) == (1, 2, False, [], 1)


def test_jobs_that_were_not_planned_or_started_are_no_fault(progress):
    progress.start([99], 0.0)
    assert progress.finish(99, 1.0) is None
    assert progress.finish(1, 1.0) is None
    assert progress.fail(99) is None
    assert progress.n_done == 0


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (150, "2 min"), (9000, "2.5 h")])
def test_durations_as_a_person_writes_them(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def written():
    """A progress of one job of three checkpoints, and the files that it has written, by name."""
    files: dict[str, tuple[int, int]] = {}
    found = Progress(stamp=files.get)
    found.plan({"1": ["a", "probe", 3, ["0", "2", "4"]], "2": ["b", "probe", 3, ["b0", "b2", "b4"]]}, "results")
    return found, files


def test_a_job_of_several_advances_checkpoint_by_checkpoint(written):
    progress, files = written
    line = progress.lines["a", "probe"]
    files["4"] = (7, 1)  # of an earlier run: it is written anew
    progress.start([1], 10.0)
    progress.look(11.0)
    assert (line.done, progress.seconds_left(line)) == (0, None)
    files["0"] = (8, 2)
    progress.look(14.0)
    progress.look(15.0)
    assert (line.done, progress.seconds_left(line)) == (1, 8.0)
    assert progress.seconds_left(progress.lines["b", "probe"]) == 12.0
    files.update({"2": (9, 3), "4": (7, 4)})
    progress.look(22.0)
    assert (line.done, line.complete) == (3, True)
    assert progress.finish(1, 23.0) is line
    assert (line.done, progress.n_done) == (3, 1)


def test_what_a_job_that_fails_had_written_is_gone_and_counted_anew_when_it_is_tried_again(written):
    progress, files = written
    line = progress.lines["a", "probe"]
    progress.start([1], 0.0)
    files["0"] = (8, 2)
    progress.look(1.0)
    assert progress.fail(1).done == 0
    progress.start([1], 2.0)
    progress.look(3.0)
    assert line.done == 0
    files.update({"0": (9, 3), "2": (9, 4)})
    progress.look(4.0)
    assert line.done == 2
    assert progress.finish(1, 5.0).done == 3


def test_a_file_is_told_from_an_earlier_one_of_its_name(tmp_path):
    path = tmp_path / "shard"
    assert stamp_of(str(path)) is None
    path.write_text("old")
    before = stamp_of(str(path))
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").replace(path)
    assert stamp_of(str(path)) not in (None, before)
