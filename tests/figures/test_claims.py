import numpy as np
import pytest
from matplotlib.colors import to_rgb

from rare_neurons.figures.claims import _VERDICTS, plot_claims
from tests.figures.tree import CLAIMS, SUBJECT

LAST = [claim for claim in CLAIMS if claim[1] == "last checkpoint"]


def test_every_claim_about_the_last_checkpoint_has_an_axis(results):
    figure = plot_claims(results, SUBJECT)
    assert [axis.get_yticklabels()[0].get_text() for axis in figure.axes] == [claim[0] for claim in LAST]
    words = [axis.texts[0].get_text() for axis in figure.axes]
    assert words == [
        "supported, p = 0.001   [Gini]",
        "not detected, p = 0.4   [Gini]",
        "not identifiable   [Gini]",
    ]


def test_estimate_interval_and_controls_are_marked(results):
    for axis, (_, _, estimate, verdict, *_) in zip(plot_claims(results, SUBJECT).axes, LAST, strict=True):
        zero, interval, point, start, shuffled = axis.lines[:5]
        assert list(zero.get_xdata()) == [0, 0]
        assert interval.get_xdata() == pytest.approx([estimate - 0.05, estimate + 0.05])
        assert (point.get_xdata()[0], start.get_xdata()[0]) == (estimate, 0.01)
        assert np.isnan(shuffled.get_xdata()[0]) == (verdict == "not identifiable")
        assert to_rgb(interval.get_color()) == to_rgb(_VERDICTS[verdict])
