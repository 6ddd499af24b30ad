"""Options that nobody can compute are refused before a matrix is touched."""

import pytest

from rare_neurons.numerics.spectra.options import SpectrumOptions


@pytest.mark.parametrize("name", ["shuffles", "farms_windows", "refits", "gof_refits"])
def test_a_count_is_zero_or_more(name):
    with pytest.raises(ValueError, match=rf"{name}=-1, but a count is 0 \(not computed\) or more"):
        SpectrumOptions(**{name: -1})
    assert getattr(SpectrumOptions(**{name: 0}), name) == 0


def test_an_unknown_engine_is_named():
    with pytest.raises(ValueError, match="unknown engine 'powerlaw'; known: exact, weightwatcher"):
        SpectrumOptions(engine="powerlaw")
