"""Kinds and largest values as they stand in the shards."""

import shutil

import pytest

from rare_neurons.replication.kinds import kind_claims, kinds, readout
from tests.replication.activity import with_activity


@pytest.fixture(scope="module")
def active(results, tree, tmp_path_factory):
    return with_activity(results, tmp_path_factory.mktemp("active"), tree.panels)


def test_layers_that_count_are_counted(active, cells):
    rows = cells(kinds(active))
    assert [row[0] for row in rows] == [case.label for case in active.cases()]
    assert rows[0][1:] == ["4", "50.0 %", "1", "0", "0", "0", "4", "0", "0"]


def test_claims_about_kinds_are_those_of_the_ledger(active, cells):
    rows = {row[0]: row[1:] for row in cells(kind_claims(active))}
    assert rows["detectors of tokens"][1:] == ["none", "5.0 %", "1.000", "8.0 %"]
    assert rows["dead neurons"][1:] == ["–"] * 4


def test_largest_values_stand_beside_chance(active, cells):
    rows = cells(readout(active))
    assert rows[0][1:6] == ["0.30", "0.10", "0.90", "2", "4"]


def test_checkpoints_that_were_not_declared_have_no_row(results, tree, tmp_path, cells):
    active = with_activity(results, tmp_path, tree.panels)
    for table in ("kinds", "readout"):
        shutil.rmtree(tmp_path / table / tree.ours / tree.controls[0])
    for made in (kinds, readout):
        assert len(cells(made(active))) == len(list(active.cases())) - 1


def test_without_activity_the_tree_says_so(tree):
    assert not tree.has_activity
