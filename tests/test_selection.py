"""What is chosen, refused and named; `tests/test_results.py` has the same through the public loaders."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.selection import Choice, read_joined, read_shards, read_timeline, refuse


@pytest.fixture
def results(tmp_path):
    for model in ("a", "b"):
        path = tmp_path / f"timelines/moments/{model}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"model": model, "step": s, "stratum": "rare", "x": s / 2, "quarantined": s == 4} for s in (0, 2, 4)]
        pq.write_table(pa.Table.from_pylist(rows), path)
        for step in (0, 2):
            path = tmp_path / f"gradients/p/{model}/step{step}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist([{"model": model, "step": step, "gradient": [1.0, float(step)]}]), path)
    return tmp_path


def test_arrow_tables_of_what_is_chosen(results):
    found = read_timeline(results, "moments", Choice("b", range(0, 4, 2), ["x", "step"], {"stratum": "rare"}))
    assert found.to_pydict() == {"x": [0.0, 1.0], "step": [0, 2]}
    assert read_joined(results, "timelines/moments", Choice(steps=4)).num_rows == 2
    assert read_shards(results, "gradients", Choice(("b", "a"), 2))["gradient"].to_pylist() == [[1.0, 2.0]] * 2


def test_measured_values_may_select_nothing_and_lists_never_choose(results):
    assert read_timeline(results, "moments", Choice(where={"x": 0.7})).num_rows == 0
    with pytest.raises(RequestError, match="not by a column of lists"):
        read_shards(results, "gradients", Choice(where={"gradient": 1.0}))


def test_checkpoints_without_rows_refuse_no_word(results):
    """A bad checkpoint's shard has no rows: nothing can be said of which strata there are."""
    path = results / "timelines/moments/a.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert read_timeline(results, "moments", Choice("a", where={"stratum": "rare"})).num_rows == 0


@pytest.mark.parametrize("steps", [0.5, [1, "2"], [None]])
def test_steps_are_whole_numbers(results, steps):
    with pytest.raises(RequestError, match="a step is a whole number"):
        read_timeline(results, "moments", Choice(steps=steps))


@pytest.mark.parametrize(
    ("missing", "known", "text"),
    [
        (["ember"], ["embers", "other"], "no thing 'ember' in here; near: embers; there: embers, other"),
        ([5], [0, 1, 4, 8, 16], "no thing 5 in here; near: 1, 4, 8; there: 0, 1, 4, 8, 16"),
        (["q"], [], "no thing 'q' in here; there: nothing"),
    ],
)
def test_a_refusal_names_what_is_near_and_all_there_is(missing, known, text):
    with pytest.raises(RequestError) as refusal:
        refuse("thing", missing, known, "here")
    assert str(refusal.value) == text
