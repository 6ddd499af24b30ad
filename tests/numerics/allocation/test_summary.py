"""Sums by kind are the sums of the units."""

from rare_neurons.numerics.allocation.summary import summarise_allocation


def row(layer, kind, value, token_stratum=None, stratum="rare"):
    place = {"layer": layer, "kind": kind, "token_stratum": token_stratum, "stratum": stratum}
    return {**place, "allocation": value, "allocation_within": -value}


def test_units_of_a_kind_are_summed_and_none_is_lost():
    rows = [
        *(row(0, "neuron", 2.0**k) for k in range(4)),
        row(1, "neuron", 16.0),
        row(None, "embedding", 32.0, "rare"),
        row(None, "embedding", 64.0, None),
        row(0, "neuron", 128.0, stratum="common"),
    ]
    found = {(r.layer, r.kind, r.token_stratum, r.stratum): r for r in summarise_allocation(rows)}
    assert found[0, "neuron", None, "rare"].allocation == 15
    assert found[0, "neuron", None, "rare"].n_units == 4
    assert sum(r.allocation for r in found.values()) == sum(r["allocation"] for r in rows)
    assert all(r.allocation_within == -r.allocation for r in found.values())
    assert len(found) == 5
