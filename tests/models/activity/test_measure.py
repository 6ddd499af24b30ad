"""All tables of one checkpoint, of every family."""

import numpy as np
import pytest

from rare_neurons.models.activity.measure import TABLES, kind_rows, measure_activity, readout_rows
from tests.models.activity.made import OPTIONS, PANEL, STRATA, probed, scene
from tests.models.tiny import N_NEURONS, random_model


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "olmo2", "opt-no-norm"])
def test_every_table_has_rows(name):
    found = measure_activity(random_model(name), PANEL, probed(name), OPTIONS)
    assert tuple(found) == TABLES
    n = {table: len(rows) for table, rows in found.items()}
    assert min(n.values()) > 0
    assert (n["sets"], n["kinds"], n["readout"], n["examples"]) == (2 * 4, 2 * N_NEURONS, 2 * N_NEURONS, 2 * 2 * 3)


def test_the_same_seed_gives_the_same_rows():
    one, again = (measure_activity(random_model("gpt2"), PANEL, probed("gpt2"), OPTIONS) for _ in range(2))
    assert one == again


def test_the_first_layer_of_a_parallel_model_is_not_counted():
    rows = list(kind_rows(scene()))
    assert {(row.layer, row.counted) for row in rows} == {(0, False), (1, True)}
    assert all(row.counted for row in kind_rows(scene("gpt2")))


def test_candidates_alone_have_what_takes_the_whole_vocabulary():
    one = scene()
    rows = list(readout_rows(one, {stratum: one.stream_of(stratum) for stratum in STRATA}))
    for stratum in STRATA:
        own = [row for row in rows if row.stratum == stratum]
        assert [row.neuron for row in own] == list(range(N_NEURONS))
        full = {row.neuron for row in own if row.entropy_change is not None}
        assert len(full) == OPTIONS.candidates
        assert full == {row.neuron for row in own if row.frequency_frozen_influence is not None}
        assert np.isfinite([row.frequency_influence for row in own]).all()
