import numpy as np
import pytest

from rare_neurons.numerics.influence.rows import PER_TARGET
from rare_neurons.stages.timelines import summarise_behaviour, write_timelines
from rare_neurons.tables import read_metadata, read_table
from tests.stages.tables import BAD, OK, put, put_behaviour, put_influence, put_integrity

STATUS = {0: "ok", 2: "detour", 8: "unchanged"}
LOSS = {"common": (2.0, 6.0), "rare": (10.0, 10.0)}
"""By fold, of one and three targets: means 5 and 10."""


@pytest.fixture
def behaviours(tmp_path):
    """Two panels; the first is the one whose loss stands for the checkpoint."""
    return [
        put_behaviour(tmp_path, {"panel": panel, "model": "m", "step": s}, shifted(s + 100 * i), n=(1, 3))
        for i, panel in enumerate(("p", "q"))
        for s in STATUS
    ]


def shifted(by):
    return {stratum: [x - by for x in folds] for stratum, folds in LOSS.items()}


@pytest.fixture
def timeline(tmp_path, behaviours):
    """Write the timeline of a quantity and return its rows."""

    def write(quantity, shards, tokens_per_step=1000):
        output = tmp_path / "timeline.parquet"
        about = {"quantity": quantity, "tokens_per_step": tokens_per_step}
        integrity = put_integrity(tmp_path, "m", STATUS)
        known = {"behaviour": behaviours, quantity: shards}
        write_timelines({quantity: str(output)}, shards=known, integrity=integrity, tokens_per_step=tokens_per_step)
        assert read_metadata(output)["params"] == about
        return read_table(output).to_pylist()

    return write


def test_folds_count_by_their_targets(timeline, behaviours):
    rows = {(r["panel"], r["step"], r["stratum"]): r for r in timeline("behaviour", behaviours)}
    assert len(rows) == 2 * len(STATUS) * len(LOSS)
    assert {s: rows["p", 0, s]["loss"] for s in LOSS} == {"common": 5.0, "rare": 10.0}
    assert rows["q", 8, "rare"]["loss"] == 10.0 - 108
    assert rows["p", 2, "common"]["n_targets"] == 4
    assert [rows["p", s, "rare"]["quarantined"] for s in STATUS] == [False, True, False]
    assert [rows["p", s, "rare"]["checkpoint_status"] for s in STATUS] == list(STATUS.values())
    assert [rows["p", s, "rare"]["tokens_seen"] for s in STATUS] == [0, 2000, 8000]


def test_unknown_tokens_are_null(timeline, behaviours):
    assert {row["tokens_seen"] for row in timeline("behaviour", behaviours, tokens_per_step=None)} == {None}


def test_influence_is_summarised_beside_the_loss_of_its_own_stratum(timeline, tmp_path):
    values = np.array([3.0, -4.0, 0.0, 0.0])
    place = {"panel": "p", "model": "m", "step": 2}
    shard = put_influence(tmp_path, place, {"common": values, "rare": 2 * values}, influence_se=1.0)
    common, rare = timeline("influence", [shard])
    assert (common["stratum"], rare["stratum"]) == ("common", "rare")
    assert (common["loss"], rare["loss"]) == (3.0, 8.0)
    assert (common["n_neurons"], common["rms_influence"], rare["rms_influence"]) == (4, 2.5, 5.0)
    assert (rare["top_neuron"], rare["top_influence"], rare["n_boost"], rare["n_suppress"]) == (1, -8.0, 1, 1)


def test_spectra_come_with_their_change_since_step_0_and_the_mean_loss(timeline, tmp_path):
    shards = [
        put(
            tmp_path,
            "spectra",
            {"model": "m", "step": step},
            [
                {"layer": 0, "matrix": "W_in", "alpha": 4.0 - step / 4, "stable_rank": 9.0},
                {"layer": 1, "matrix": "W_in", "alpha": None if step else 5.0, "stable_rank": 1.0 + step},
            ],
        )
        for step in STATUS
    ]
    rows = {(row["layer"], row["step"]): row for row in timeline("spectra", shards)}
    assert [rows[0, s]["alpha_change"] for s in STATUS] == [0.0, -0.5, -2.0]
    assert [rows[1, s]["alpha_change"] for s in STATUS] == [0.0, None, None]
    assert [rows[1, s]["stable_rank_change"] for s in STATUS] == [0.0, 2.0, 8.0]
    assert rows[0, 8]["loss"] == (5.0 + 10.0) / 2 - 8  # both strata of the first panel


def test_without_a_good_start_there_is_no_change(tmp_path, behaviours):
    shards = [
        put(tmp_path, "spectra", {"model": "m", "step": s}, [{"layer": 0, "matrix": "W_in", "alpha": 4.0 + s}])
        for s in STATUS
    ]
    integrity = put_integrity(tmp_path, "m", {**STATUS, 0: "foreign_start"})
    known = {"behaviour": behaviours, "spectra": shards}
    output = str(tmp_path / "t.parquet")
    write_timelines({"spectra": output}, shards=known, integrity=integrity, tokens_per_step=None)
    assert read_table(tmp_path / "t.parquet")["alpha_change"].to_pylist() == [None] * 3


def test_a_bad_checkpoint_has_no_rows(timeline, tmp_path):
    bad = put(tmp_path, "influence", {"panel": "p", "model": "m", "step": 8}, [], BAD)
    good = put_influence(tmp_path, {"panel": "p", "model": "m", "step": 0}, {"rare": np.ones(4)})
    assert [row["step"] for row in timeline("influence", [good, bad])] == [0]
    empty = put(tmp_path, "behaviour", {"panel": "p", "model": "x", "step": 8}, [], BAD)
    assert summarise_behaviour(empty) == []


def test_every_quantity_of_the_behaviour_is_averaged(tmp_path):
    place = {"panel": "p", "model": "x", "step": 0}
    rows = [
        {"stratum": "rare", "fold": i, "n_targets": n, **{name: 4.0 * i + j for j, name in enumerate(PER_TARGET)}}
        for i, n in enumerate((1, 3))
    ]
    (row,) = summarise_behaviour(put(tmp_path, "behaviour", place, rows, OK))
    assert row == {**place, "stratum": "rare", "n_targets": 4, **{n: 3.0 + j for j, n in enumerate(PER_TARGET)}}


def test_kinds_are_counted_by_layer(timeline, tmp_path):
    place = {"panel": "p", "model": "m", "step": 2}
    flags = {"counted": True, "silent": False, "positional": False, "suppressor": False}
    rows = [{"layer": 0, "neuron": k, "kind": kind, **flags} for k, kind in enumerate(["dead", "other", "other"])]
    shards = [put(tmp_path, "kinds", place, rows), put(tmp_path, "kinds", {**place, "step": 8}, [], BAD)]
    found = timeline("kinds", shards)
    assert {row["kind"]: row["n_neurons"] for row in found if row["n_neurons"]} == {"dead": 1, "other": 2}
    assert {row["step"] for row in found} == {2}
    assert {row["loss"] for row in found} == {7.5 - 2}
