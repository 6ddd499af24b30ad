import pytest
from matplotlib.figure import Figure

from rare_neurons.figures.parts.ticks import compact, log_axis, power, short, small_numbers, step_axis, with_unit, x


def labels(axis):
    axis.figure.draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    rounding = 1e-9 * (high - low)
    return [
        label.get_text()
        for label in axis.get_ticklabels()
        if low - rounding <= label.get_position()[axis.axis_name == "y"] <= high + rounding
    ]


def test_step_0_has_a_place_on_the_logarithmic_axis():
    assert x([0, 1, 1000]).tolist() == [0.5, 1, 1000]
    axis = Figure().subplots()
    step_axis(axis, [0, 3, 1000])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "1", "10", "100", "1k"]
    assert axis.get_xlim()[0] < 0.5
    assert axis.get_xlim()[1] > 1000


def test_the_first_checkpoint_alone_has_an_axis():
    axis = Figure().subplots()
    step_axis(axis, [0])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "1"]


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (512, "512"),
        (1000, "1k"),
        (16384, "16.4k"),
        (999_999, "1M"),
        (143e6, "143M"),
        (3e11, "300B"),
        (2e12, "2T"),
    ],
)
def test_counts_are_short(number, written):
    assert short(number) == written


@pytest.mark.parametrize(
    ("value", "plain", "written"),
    [
        (1e-3, False, "1e−3"),
        (-1e-4, False, "−1e−4"),
        (2e5, False, "2e5"),
        (0, False, "0"),
        (0.02, True, "0.02"),
        (1000, True, "1,000"),
    ],
)
def test_powers_stand_on_the_line(value, plain, written):
    assert power(value, plain=plain) == written


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((1e-7, 1e-1), ["1e−7", "1e−6", "1e−5", "1e−4", "1e−3", "1e−2", "1e−1"]),
        ((1, 30), ["1", "2", "5", "10", "20"]),
        ((1.9, 3.2), ["2", "2.5", "3"]),
        ((1e-5, 4e-5), ["1e−5", "2e−5"]),
    ],
)
def test_logarithmic_axes_have_numbers_without_superscripts(ends, expected):
    axis = Figure().subplots()
    axis.set(yscale="log", ylim=ends)
    log_axis(axis.yaxis)
    assert labels(axis.yaxis) == expected


def test_the_power_of_small_numbers_stands_beside_the_unit():
    axis = Figure().subplots()
    axis.set_ylim(-2e-4, 4e-4)
    small_numbers(axis.yaxis, "influence", "nats per token", fontsize=8)
    assert axis.get_ylabel() == "influence (1e−4 nats per token)"
    assert labels(axis.yaxis) == ["−2", "−1", "0", "1", "2", "3", "4"]
    axis.set_ylim(0, 4)
    small_numbers(axis.yaxis, "", "nats per token")
    assert axis.get_ylabel() == "nats per token"
    assert labels(axis.yaxis) == ["0", "1", "2", "3", "4"]


def test_a_unit_stands_in_brackets_where_there_is_a_label():
    assert with_unit("loss", "nats") == "loss (nats)"
    assert with_unit("loss\n", "nats") == "loss\n(nats)"
    assert with_unit("", "nats") == "nats"
    assert with_unit("rank", "") == "rank"


def test_axes_of_many_have_smaller_letters_but_none_too_small():
    axis = Figure().subplots()
    compact(axis)
    sizes = {label.get_fontsize() for label in axis.get_xticklabels()} | {axis.xaxis.label.get_fontsize()}
    assert sizes == {8}
