import pandas as pd
import pytest
import torch

from rare_neurons.api.options import N_PROJECTIONS, SPECTRA
from rare_neurons.api.spectra import measure_spectra
from rare_neurons.errors import RequestError
from rare_neurons.stages.spectra import measure_folder
from rare_neurons.tables import from_rows, sort_rows, table_entry
from tests.models.tiny import LAYOUTS, random_model

QUICK = {"refits": 0, "shuffles": 0, "farms_windows": 0}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_model_in_memory_has_the_spectra_of_its_files(name, tmp_path):
    model = random_model(name, dtype=torch.float32)
    model.save_pretrained(tmp_path / "step0")
    rows = measure_folder(tmp_path / "step0", {**SPECTRA, **QUICK}, N_PROJECTIONS)
    found = measure_spectra(model, options=QUICK)
    for table in ("spectra", "eigenvalues", "fingerprint"):
        due = from_rows(table, getattr(rows, table), {"model": "m", "step": 0}).drop_columns(["model", "step"])
        due = sort_rows(due, table_entry(table).keys).to_pandas()
        pd.testing.assert_frame_equal(found.to_pandas(table), due, check_exact=True)
        assert len(due) > 0


def test_options_are_those_of_the_configuration(model):
    with pytest.raises(RequestError, match="no option 'refit' in measure_spectra; near: refits"):
        measure_spectra(model, options={"refit": 0})
