import numpy as np
import pytest

from rare_neurons.numerics.organisation.lineage import half_jaccard
from rare_neurons.stages.lineage import write_lineage
from rare_neurons.tables import read_table
from tests.stages.tables import put, put_cells, put_influence, put_integrity

NAMES = ("lineage", "members", "changed")
N, SHARE = 10, 0.2
TOPS = {0: (0, 1), 2: (5, 6), 8: (5, 7), 16: (8, 9)}
"""Neurons of large influence at each step."""


def influence(step):
    values = np.linspace(0.01, 0.02, N)
    values[list(TOPS[step])] = (3.0, -2.0)
    return values


@pytest.fixture
def follow(tmp_path):
    """Write the lineage of a run whose given steps are held; return the rows by step, and the members."""

    def followed(held):
        cells = [
            put_cells(tmp_path, {"panel": "p", "model": "m", "step": step}, {"rare": 5 * cell_means(step)})
            for step in TOPS
        ]
        shards = [
            put_influence(tmp_path, {"panel": "p", "model": "m", "step": step}, {"rare": influence(step)})
            for step in TOPS
        ]
        integrity = put_integrity(tmp_path, "m", {s: "detour" if s in held else "ok" for s in TOPS})
        paths = [str(tmp_path / f"{name}.parquet") for name in NAMES]
        write_lineage(*paths, influence=shards[::-1], cells=cells[::-1], integrity=integrity, share=SHARE)
        steps, members, changed = (read_table(path).to_pylist() for path in paths)
        return {row["step"]: row for row in steps}, members, changed

    return followed


def cell_means(step):
    """Influence `[fold, bin, neuron]` without noise."""
    return np.broadcast_to(influence(step), (12, 12, N))


def test_the_fixed_set_is_that_of_the_last_good_step(follow):
    steps, members, _ = follow({16})
    assert {row["reference_step"] for row in (*steps.values(), *members)} == {8}
    assert [(m["neuron"], m["sign"], m["rank"]) for m in members] == [(5, 1, 1), (7, -1, 2)]
    assert [steps[s]["overlap"] for s in (0, 2, 8)] == [0, 1, 2]
    assert [steps[s]["jaccard"] for s in (0, 2, 8)] == [0.0, 1 / 3, 1.0]
    assert (steps[0]["n_top"], steps[0]["n_neurons"]) == (2, N)


def test_a_held_step_has_a_row_without_values(follow):
    steps, members, _ = follow({2, 16})
    assert [steps[s]["quarantined"] for s in TOPS] == [False, True, False, True]
    for name in ("overlap", "overlap_p", "jaccard", "jaccard_previous", "jaccard_halves", "rank_correlation"):
        assert steps[2][name] is None
    assert steps[8]["jaccard_previous"] == 0.0  # step 0, for step 2 is left out
    assert [m["birth"] for m in members] == [8, 8]


def test_members_have_their_birth_and_persistence(follow):
    _, members, _ = follow({16})
    assert [(m["birth"], m["settled"], m["persistence"]) for m in members] == [(2, 2, 1.0), (8, 8, 1.0)]


def test_a_run_without_a_good_step_has_no_lineage(follow):
    assert follow(set(TOPS)) == ({}, [], [])


def test_the_change_is_counted_from_the_first_to_the_last_good_step(follow):
    ((*_, changed),) = (follow({16}),)
    (row,) = changed
    assert (row["stratum"], row["first_step"], row["reference_step"], row["n_neurons"]) == ("rare", 0, 8, N)
    # Neurons 0 and 1 lose what 5 and 7 gain; the others stay as they are.
    change = influence(8) - influence(0)
    expected = np.square(change).sum() ** 2 / (change**4).sum()
    assert 3.5 < expected < 4
    assert row["effective_number"] == pytest.approx(expected, rel=1e-6)  # sums are stored in float32
    assert row["effective_number_within"] == pytest.approx(expected, rel=1e-6)


def test_a_single_good_step_has_no_change(follow):
    assert follow({2, 8, 16})[2] == []


def test_the_halves_of_the_panel_give_the_ceiling(tmp_path):
    rng = np.random.default_rng(0)
    halves = rng.standard_normal(N) + 0.7 * rng.standard_normal((2, N))
    rows = [
        {"stratum": "rare", "neuron": i, "influence": (a + b) / 2, "influence_a": a, "influence_b": b}
        for i, (a, b) in enumerate(halves.T)
    ]
    shard = put(tmp_path, "influence", {"panel": "p", "model": "m", "step": 0}, rows)
    cells = put_cells(tmp_path, {"panel": "p", "model": "m", "step": 0}, {"rare": np.ones((12, 12, N))})
    paths = [str(tmp_path / f"{name}.parquet") for name in NAMES]
    write_lineage(
        *paths, influence=[shard], cells=[cells], integrity=put_integrity(tmp_path, "m", {0: "ok"}), share=0.5
    )
    (ceiling,) = half_jaccard(*halves[:, None], 5)
    assert 0 < ceiling < 1
    assert read_table(paths[0])["jaccard_halves"].to_pylist() == [ceiling]
