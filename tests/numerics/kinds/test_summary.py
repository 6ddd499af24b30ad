"""Counts of kinds by layer."""

import pytest

from rare_neurons.numerics.kinds.census import KindRow
from rare_neurons.numerics.kinds.summary import FLAGS, KINDS, summarise_kinds


def neuron(layer, kind, **flags):
    return {"layer": layer, "kind": kind, "counted": layer > 0, **dict.fromkeys(FLAGS, False), **flags}


def test_every_layer_has_every_kind_and_its_shares_are_one():
    rows = [neuron(0, "dead", silent=True), neuron(0, "other"), neuron(0, "other", positional=True)]
    rows += [neuron(1, "token_detector", suppressor=True)]
    found = summarise_kinds(rows)
    assert [(row.layer, row.kind) for row in found] == [(layer, kind) for layer in (0, 1) for kind in KINDS]
    for layer in (0, 1):
        assert sum(row.share for row in found if row.layer == layer) == pytest.approx(1)
    by_place = {(row.layer, row.kind): row for row in found}
    assert by_place[0, "dead"].n_silent == 1
    assert (by_place[0, "other"].n_neurons, by_place[0, "other"].n_positional) == (2, 1)
    assert by_place[0, "other"].share == pytest.approx(2 / 3)
    assert by_place[1, "token_detector"].n_suppressor == 1
    assert [by_place[layer, "other"].counted for layer in (0, 1)] == [False, True]


def test_kinds_and_flags_are_those_of_the_census():
    fields = KindRow.__annotations__
    assert set(FLAGS) <= set(fields)
    assert all(f"`{kind}`" in str(fields["kind"]) for kind in KINDS)


def test_without_rows_there_is_nothing_to_count():
    assert summarise_kinds([]) == []
