"""What an engine may be asked for."""

from dataclasses import replace

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.inputs import EngineSettings
from rare_neurons.models.readout import Norm
from tests.models.influence.layers import CERTIFIED, EXACT


def test_an_unknown_engine_is_refused_before_anything_is_loaded():
    with pytest.raises(RequestError, match="unknown engine 'fast'; known: certified, exact"):
        EngineSettings(engine="fast", tolerance=0.0, tolerance_se=0.0, memory_gb=1.0)


def test_pairs_are_enclosed_where_there_is_an_enclosure(layer):
    post = replace(layer, block=replace(layer.block, post_norm=Norm("rms_norm", 1e-5)))
    assert layer.takes_moments(CERTIFIED)
    assert not layer.takes_moments(EXACT)
    assert not post.takes_moments(CERTIFIED)
