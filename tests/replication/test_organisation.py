"""Conventions beside noise that is known, and answers as the ledger has them."""

import numpy as np
import pytest

from rare_neurons.replication.organisation import NOISE, noise_conventions, organisation, organisation_claims
from tests.replication.activity import with_activity


@pytest.fixture(scope="module")
def active(results, tree, tmp_path_factory):
    return with_activity(results, tmp_path_factory.mktemp("active"), tree.panels)


def test_independent_neurons_have_the_published_modularity_and_half_of_their_directions_only_at_few_rows():
    dimension, modularity, angles = map(np.median, noise_conventions(50, 1000, 96))
    assert modularity == pytest.approx(0.075, abs=0.015)
    assert 0.85 < dimension < 1
    assert angles == pytest.approx(0.91, abs=0.01)
    # 95 % of the variance in about half as many directions as neurons, where there are fewer rows than these.
    assert 0.49 <= np.median(noise_conventions(50, 40, 96)[0]) <= 0.56


def test_every_checkpoint_stands_beside_noise_and_matched_sets(active, cells):
    rows = cells(organisation(active))
    assert rows[0][0] == NOISE
    assert [row[0] for row in rows[1:]] == [case.label for case in active.cases()]
    assert rows[1][1:] == ["0.100", "0.500", "0.200", "0.500", "0.300", "0.500", "0.000", "0.500", "0.250"]
    assert all(len(row) == 10 for row in rows)


def test_claims_have_the_answer_of_the_ledger_or_none(active, cells):
    rows = {row[1]: row for row in cells(organisation_claims(active))}
    modules = rows["no modules among them"]
    assert (modules[2], modules[3]) == (".05 – .11", "; ".join(["0.20"] * len(active.models)))
    assert modules[5:] == ["co-activation", "none", "0.0500", "1.000", "0.0800"]
    assert rows["no attention head prefers them"][6:] == ["–"] * 4
