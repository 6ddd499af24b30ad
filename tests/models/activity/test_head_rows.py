"""Routing rows: heads that act, heads that cannot, and both ways to the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from rare_neurons.models.activity.head_rows import Redirected
from rare_neurons.models.activity.set_rows import choose_sets
from tests.models.activity.made import scene


def rows_of(one):
    heads = Redirected(one)
    return [row for chosen in choose_sets(one) for row in heads.rows(chosen)]


def test_every_head_and_layer_has_its_row_and_those_after_the_mlp_cannot_act():
    rows = rows_of(scene())
    assert [(row.layer, row.head) for row in rows[:6]] == [(0, 0), (0, 1), (0, None), (1, 0), (1, 1), (1, None)]
    assert [(row.stratum, row.against) for row in rows[::6]] == [("rare", "common"), ("common", "rare")]
    assert {row.status for row in rows if row.layer == 1} == {"cannot_act"}
    assert {row.head_effect for row in rows if row.layer == 1} == {0.0}
    assert all(row.head_effect > 0 for row in rows if row.layer == 0)
    assert {row.status for row in rows if row.layer == 0 and row.head is None} == {"layer"}


def test_closed_form_and_forward_passes_agree():
    one = scene("gpt2")
    assert one.final_mlp is not None
    closed, slices = Redirected(one), Redirected(replace(one, final_mlp=None))
    assert closed.names == slices.names
    for stratum, found in closed.effects.items():
        np.testing.assert_allclose(found, slices.effects[stratum], rtol=1e-9)


@pytest.mark.parametrize(("heads", "layers"), [("none", set()), ("last", {1}), ("all", {0, 1})])
def test_layers_are_those_that_are_asked_for(heads, layers):
    rows = rows_of(scene("gpt2", heads=heads))
    assert {row.layer for row in rows} == layers
    assert all(row.head_effect > 0 for row in rows)
