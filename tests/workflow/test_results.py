"""Lineage, groups and spectra, from the tables of a tiny run."""

import numpy as np
import pyarrow.compute as pc
import pytest

from rare_neurons import load_influence, load_shards, load_timeline
from rare_neurons.numerics.organisation.lineage import lineage

pytestmark = pytest.mark.pipeline


def test_lineage_is_that_of_the_influence_table(finished):
    results = finished.folder / "results"
    found = load_timeline(results, "lineage", stratum="rare").sort_values("step")
    table = load_influence(results, stratum="rare").sort_values(["step", "neuron"])
    steps = found.step.to_numpy()
    values = table.influence.to_numpy().reshape(len(steps), -1)
    top = round(0.05 * values.shape[1])
    expected = lineage(steps, values, top)
    assert np.array_equal(found.jaccard, expected.jaccard)
    assert np.array_equal(found.rank_correlation, expected.rank_correlation)
    members = load_timeline(results, "members", stratum="rare").sort_values("rank")
    assert members.neuron.tolist() == expected.neurons.tolist()
    assert members.birth.tolist() == expected.birth.tolist()


def test_groups_are_chosen_on_half_a(finished):
    results = finished.folder / "results"
    groups = load_shards(results, "set_spectra", steps=[4])
    assert set(groups["matrix"]) == {"W_in", "W_out", "W_out_without_gradients"}
    assert set(groups["stratum"]) == {"rare", "common"}
    p = groups["p_value"].to_numpy()
    assert ((p > 0) & (p <= 1)).all()
    assert set(groups["n_set"]) == {round(0.05 * 64)}


def test_spectra_carry_the_change_since_step_0(finished):
    table = load_timeline(finished.folder / "results", "spectra", format="arrow")
    start = table.filter(pc.equal(table["step"], 0))
    assert set(pc.drop_null(start["alpha_change"]).to_pylist()) == {0.0}
    last = table.filter(pc.equal(table["step"], 4)).to_pylist()
    first = {(row["layer"], row["matrix"]): row for row in start.to_pylist()}
    for row in last:
        assert row["stable_rank_change"] == row["stable_rank"] - first[row["layer"], row["matrix"]]["stable_rank"]
