from dataclasses import fields

from rare_neurons.columns import Joined
from rare_neurons.numerics.spectra.rows import AlphaInNull, AlphaRow, OfMatrix, SpectrumRow
from rare_neurons.numerics.spectra.spectrum import Spectrum


def names(row):
    return [field.name for field in fields(row)]


def test_the_matrix_comes_first_and_what_is_joined_last():
    assert names(SpectrumRow) == names(OfMatrix) + names(Spectrum)
    assert names(AlphaRow) == names(AlphaInNull) + names(Joined)
    assert names(AlphaInNull)[:4] == names(OfMatrix)
