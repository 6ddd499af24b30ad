import pytest

from rare_neurons.stages.claim_inputs import LAST, START, Results, Runs
from rare_neurons.tables import file_sha256
from tests.stages.tables import put, put_influence, put_integrity

STEPS = (0, 2, 8)


@pytest.fixture
def results(tmp_path):
    """Three steps of run `a` (its last is held) and of run `b` (its first is held); of `c` all are held."""
    held = {"a": 8, "b": 0, "c": None}
    place = {"panel": "p"}
    shards = [
        put_influence(tmp_path, {**place, "model": model, "step": step}, {"rare": [float(step)]})
        for model in held
        for step in STEPS
    ]
    statuses = {m: {s: "detour" if h in (None, s) else "ok" for s in STEPS} for m, h in held.items()}
    integrity = [put_integrity(tmp_path, model, status) for model, status in statuses.items()]
    rows = [{"panel": "p", "stratum": "rare", "step": step, "loss": 9.0 - step} for step in STEPS]
    timelines = [put(tmp_path, "timelines/behaviour", {"model": "a"}, rows)]
    return Results(shards, integrity, timelines)


def runs(results, models=("a", "b")):
    return Runs(results, "p", models, (), {"confidence": 0.9})


def test_held_steps_are_not_good(results):
    assert {model: results.good_steps(model) for model in "abc"} == {"a": [0, 2], "b": [2, 8], "c": []}


def test_the_last_checkpoint_is_the_last_good_one(results):
    assert [runs(results).step(model, LAST) for model in "abc"] == [2, 8, None]
    assert [runs(results).step(model, START) for model in "abc"] == [0, None, None]


def test_shards_are_those_of_each_models_own_step(results, tmp_path):
    found = runs(results).shards(("a", "b"), LAST, "influence")
    assert found == [str(tmp_path / f"influence/p/{place}.parquet") for place in ("a/step2", "b/step8")]


@pytest.mark.parametrize(("models", "at"), [((), LAST), (("a", "c"), LAST), (("a", "b"), START)])
def test_there_are_no_shards_where_one_model_has_no_such_step(results, models, at):
    assert runs(results).shards(models, at, "influence") is None
    assert results.digests() == []


def test_only_what_was_read_is_recorded(results):
    read = [results.shard("influence", "p", "b", 8), results.shard("influence", "p", "a", 2)]
    results.shard("influence", "p", "a", 2)
    assert results.digests() == [file_sha256(path) for path in sorted(read)]
    assert len(set(results.digests())) == 2


def test_timelines_are_found_by_quantity_and_model(results):
    assert results.timeline("behaviour", "a")["loss"].to_pylist() == [9.0, 7.0, 1.0]
