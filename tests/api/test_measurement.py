import matplotlib.pyplot as plt
import pandas as pd
import pytest

from rare_neurons import list_models, load_influence, load_shards, load_spectra
from rare_neurons.api.influence import measure_influence
from rare_neurons.api.spectra import measure_spectra
from rare_neurons.errors import RequestError
from rare_neurons.tables import read_checked, read_metadata
from tests.api.contexts import QUICK


@pytest.fixture(scope="module")
def measured(model, panel):
    return measure_influence(model, panel, options=QUICK)


@pytest.fixture(scope="module")
def spectra(model):
    return measure_spectra(model, options={"refits": 0})


def test_tables_are_named_and_the_first_is_the_default(measured):
    pd.testing.assert_frame_equal(measured.to_pandas(), measured.to_arrow("influence").to_pandas())
    assert {"loss", "entropy"} <= set(measured.to_pandas("behaviour"))
    with pytest.raises(
        RequestError, match="no table 'behavior' in this measurement; near: behaviour; there: influence"
    ):
        measured.to_pandas("behavior")


def test_figures_are_drawn_into_the_axis_given(measured, spectra):
    figure, axis = plt.subplots()
    assert measured.plot("strata", ax=axis) is figure
    assert len(axis.lines) >= 2
    plt.close(figure)
    (within,) = measured.plot("ranked", column="influence_within").axes
    assert "within stratum" in within.get_ylabel()
    assert spectra.plot() is not spectra.plot()
    with pytest.raises(RequestError, match=r"no figure 'rank' in this measurement; .*there: ranked, strata"):
        measured.plot("rank")


def test_shards_are_found_by_the_loaders(measured, spectra, tmp_path):
    for step in (0, 8):
        measured.write(tmp_path, model="mine", step=step)
        spectra.write(tmp_path, model="mine", step=step)
    assert list_models(tmp_path) == ["mine"]
    found = load_influence(tmp_path, steps=8, panel="own")
    columns = list(measured.to_pandas())
    due = measured.to_pandas().sort_values(["stratum", "neuron"], ignore_index=True)
    pd.testing.assert_frame_equal(found[columns], due)
    assert set(found.model) == {"mine"}
    assert len(load_spectra(tmp_path, models="mine")) == 2 * len(spectra.to_pandas())
    assert set(load_shards(tmp_path, "behaviour").step) == {0, 8}


def test_shards_are_sealed_and_say_what_they_are_made_of(measured, tmp_path):
    for path in measured.write(tmp_path, model="mine", step=0, panel="p"):
        assert read_checked(path)[1]
        about = read_metadata(path)
        assert about["rule"] == "probe"
        assert about["status"] == "ok"
        assert set(about["inputs"]) == {"parameters", "panel"}


def test_a_shard_of_something_else_is_not_overwritten(measured, model, panel, tmp_path):
    (first, *_) = measured.write(tmp_path, model="mine", step=0)
    assert measured.write(tmp_path, model="mine", step=0)[0] == first
    other = measure_influence(model, panel, options={**QUICK, "engine": "certified"})
    with pytest.raises(RequestError, match=r"step0\.parquet is there and is made of something else"):
        other.write(tmp_path, model="mine", step=0)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"model": "a/b", "step": 0}, "'a/b' is no name"),
        ({"model": "a", "step": -1}, "step=-1: a step is a whole number"),
        ({"model": "a", "step": 0, "panel": ".."}, r"'\.\.' is no name"),
    ],
)
def test_a_place_that_is_none_is_refused(measured, tmp_path, place, message):
    with pytest.raises(RequestError, match=message):
        measured.write(tmp_path, **place)
