import numpy as np
import pytest

from rare_neurons.atlas.arrays import pack, pack_half, pack_size, unpack


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float16", "float32", "float64"])
def test_an_array_comes_back_in_its_type(kind):
    array = np.arange(24).astype(kind).reshape(2, 3, 4)
    back = unpack(pack(array))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_truth_values_and_wide_integers_take_the_next_type_that_a_page_knows():
    assert pack(np.array([True, False])).kind == "uint8"
    assert pack(np.array([1, 143_000])).kind == "int32"


def test_what_a_page_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="integers up to 4294967296 do not fit in the 32 bits of a page"):
        pack(np.array([2**32]))
    with pytest.raises(ValueError, match=r"an array of <U3 cannot be packed; known: uint8, .*bool"):
        pack(np.array(["one"]))


@pytest.mark.parametrize("largest", [3e-9, 1.0, 4e6])
def test_halves_keep_eleven_bits_over_nine_decades_whatever_the_unit(largest):
    values = largest * np.geomspace(1, 2e-9, 500) * np.where(np.arange(500) % 2, 1, -1)
    # Half a unit in the last of eleven bits.
    np.testing.assert_allclose(unpack(pack_half(values)), values, rtol=2.0**-11)


def test_halves_keep_zero_and_what_is_unknown():
    np.testing.assert_array_equal(unpack(pack_half(np.array([0.0, np.nan, 1.0]))), [0, np.nan, 1])
    np.testing.assert_array_equal(unpack(pack_half(np.zeros(3))), np.zeros(3))


def test_sizes_are_within_two_per_cent_over_four_decades():
    values = np.geomspace(1e-7, 1e-3, 999)
    # Half of the logarithm of a level's ratio: ln(10^4) / 253 / 2.
    np.testing.assert_allclose(unpack(pack_size(values)), values, rtol=0.0184)


def test_sizes_keep_zero_what_is_unknown_and_a_lone_value():
    np.testing.assert_allclose(unpack(pack_size(np.array([0.0, np.nan, 0.25]))), [0, np.nan, 0.25])


def test_a_size_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"a size of -0.5, but sizes are at least 0"):
        pack_size(np.array([1.0, -0.5]))


def test_bytes_of_like_worth_lie_together():
    """Exponents of like numbers are alike: their plane compresses, where mixed with mantissas it would not."""
    values = np.random.default_rng(0).uniform(1, 2, 4096).astype(np.float32)
    assert len(pack(values).text) < 0.9 * values.nbytes * 4 / 3
