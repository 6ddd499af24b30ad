"""Checkpoints of jobs: every one in exactly one job, whatever the size."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.configuration.batches import AT_ONCE, INTERVAL, Batch, batches, sizes_of, trainings

STEPS = {"a": (0, 1, 2, 4), "b": (0, 1, 2, 4), "c": (0, 8)}


def of_jobs(steps, sizes):
    """Steps of every job by model."""
    found = {model: [] for model in steps}
    for batch in batches(steps, sizes):
        for model in batch.models:
            of_model = [(str(step),) for step in steps[model]] if batch.one_by_one else [batch.items]
            found[model] += of_model
    return found


@given(st.integers(1, 6), st.integers(0, 9))
def test_every_checkpoint_has_one_job_of_at_most_the_size(size, n_steps):
    steps = {"m": tuple(range(n_steps))}
    jobs = of_jobs(steps, {"m": size})["m"]
    assert [int(step) for job in jobs for step in job] == list(steps["m"])
    assert all(len(job) <= size for job in jobs)
    assert len(jobs) == -(-n_steps // size)


def test_models_with_the_same_steps_share_a_rule():
    single, shared, other = batches(STEPS, dict.fromkeys(STEPS))
    assert single == Batch((), ("{step}",), "")
    assert (shared.models, shared.rule("probe")) == (("a", "b"), "probe_0_4")
    assert (other.models, other.rule("probe")) == (("c",), "probe_0_8")


def test_rules_of_different_steps_with_the_same_ends_have_different_names():
    found = batches({"a": (0, 1, 4), "b": (0, 2, 4), "c": (0, 3, 4)}, {"a": None, "b": None, "c": None})
    assert len({batch.name for batch in found}) == len(found)


def test_paths_and_steps_of_a_job():
    single, pair, _ = batches({"a": (0, 8, 16, 32), "b": (5,)}, {"a": 2, "b": 1})
    assert pair.paths("x/{model}/step{step}.json") == ["x/{model}/step0.json", "x/{model}/step8.json"]
    assert pair.log("{model}/step{step}.log") == "{model}/step0-8.log"
    assert pair.pairs_of(SimpleNamespace(model="a")) == [("a", "0"), ("a", "8")]
    assert single.paths("x/step{step}.json") == ["x/step{step}.json"]
    assert single.log("step{step}.log") == "step{step}.log"
    assert single.pairs_of(SimpleNamespace(model="b", step="5")) == [("b", "5")]


def test_intervals_are_divided_like_checkpoints():
    items = {"a": ("0-1", "1-2", "2-16"), "b": ("0-16",), "c": ()}
    single, first, last = batches(items, {"a": 2, "b": 1, "c": None}, INTERVAL)
    assert (single.models, first.models, last.models) == (("b",), ("a",), ("a",))
    assert first.rule("allocation") == "allocation_0_2"
    assert last.paths("{model}/step{interval}.parquet") == ["{model}/step2-16.parquet"]
    assert first.log("step{interval}.log") == "step0-2.log"
    assert single.pairs_of(SimpleNamespace(model="b", interval="0-16")) == [("b", "0-16")]


def test_models_that_are_alike_share_a_job_up_to_a_number_of_checkpoints():
    kept = (16, 32, 64, 128, 512)
    steps = dict.fromkeys("abcde", kept) | {"f": (16,), "g": kept, "h": ()}
    alike = dict.fromkeys("abcd", "one") | {"e": "other", "f": "one", "h": "one"}
    sizes = dict.fromkeys(steps) | {"g": 1}
    single, alone, first, second = batches(steps, sizes, alike=alike)
    assert (single.models, alone.models) == (("f", "g"), ("e",))
    assert [(one.models, one.together) for one in (first, second)] == [(("a", "b"), True), (("c", "d"), True)]
    assert len({one.name for one in (alone, first, second)}) == 3
    paths = [f"{model}/step{step}" for model in "ab" for step in kept]
    assert first.paths("{panel}/{model}/step{step}") == [f"{{panel}}/{path}" for path in paths]
    assert [f"{model}/step{step}" for model, step in first.pairs_of(SimpleNamespace(panel="p"))] == paths
    assert first.log("logs/{model}/step{step}.log") == "logs/a_to_b/step16-512.log"


def test_a_job_of_several_models_has_at_most_so_many_checkpoints_and_each_in_one_job():
    steps = {f"m{k}": tuple(range(k % 4)) for k in range(30)}
    found = batches(steps, dict.fromkeys(steps), alike=dict.fromkeys(steps, "all"))
    pairs = [(one.models if one.together else one.models[:1], one.items) for one in found[1:]]
    assert all(len(models) * len(items) <= AT_ONCE for models, items in pairs)
    measured = [(model, int(item)) for one in found[1:] for model in one.models for item in one.items]
    assert sorted(measured) == sorted((model, step) for model, of_model in steps.items() for step in of_model)


@pytest.mark.parametrize(("asked", "expected"), [("auto", {"p": None, "h": 1}), (3, {"p": 3, "h": 3})])
def test_a_model_trained_here_is_measured_at_once_by_default(asked, expected):
    assert sizes_of({"p": {"source": "pretrain"}, "h": {"source": "hub"}}, asked) == expected


def test_trainings_are_put_together_by_their_steps_and_the_first_has_the_plain_name():
    first, second = trainings(STEPS)
    assert (first.models, first.rule("pretrain")) == (("a", "b"), "pretrain")
    assert (second.models, second.rule("pretrain")) == (("c",), "pretrain_2")
    assert second.paths("{model}/step{step}") == ["{model}/step0", "{model}/step8"]
    assert trainings({}) == (Batch((), (), ""),)
