"""Which neurons are in a set."""

from dataclasses import replace

import numpy as np
import pytest

from tests.models.activity.made import OPTIONS, probed_with

INFLUENCE = np.array([0.1, -0.9, 0.3, -0.2, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("sign", "share", "members"),
    [
        ("all", 0.3, [1, 5, 2]),
        ("boost", 0.2, [5, 2]),
        ("suppress", 0.2, [1, 3]),
        ("suppress", 0.4, [1, 3]),  # no more neurons have the sign
        ("all", 0.05, [1, 5]),  # never less than two
    ],
)
def test_sets_hold_the_strongest_of_their_sign(sign, share, members):
    options = replace(OPTIONS, share=share)
    assert probed_with(INFLUENCE).chosen("rare", sign, options).tolist() == members


def test_the_named_column_chooses():
    probed = probed_with(INFLUENCE)
    other = {**probed.influence, "influence_within_a": {"rare": -INFLUENCE[::-1]}}
    options = replace(OPTIONS, select="influence_within_a")
    assert replace(probed, influence=other).chosen("rare", "boost", options).tolist() == [8, 6]
