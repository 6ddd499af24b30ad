import numpy as np
import pytest
import torch

from rare_neurons.api.influence import measure_influence
from rare_neurons.api.layers import measure_layers
from rare_neurons.api.panel import make_panel
from rare_neurons.errors import RequestError
from rare_neurons.tables import table_entry, table_schema
from tests.api.contexts import QUICK, STRATA, of_documents, random_contexts
from tests.models.tiny import N_NEURONS, random_model

FEW = {"contexts": "all", "n_top": 4, "n_random": 9, "batch_size": 48}


@pytest.fixture(scope="module")
def every():
    """A panel with targets in every context: means of activations are taken over those that have some."""
    with pytest.warns(UserWarning, match="effective token types"):
        return make_panel(random_contexts(), strata=STRATA, documents=of_documents(), min_position=2)


@pytest.fixture(scope="module")
def measured(every):
    """Of a model in training mode, whose parameters want gradients."""
    model = random_model("gpt_neox-parallel").train()
    return model, measure_layers(model, every, options=FEW)


def test_neurons_ablated_in_the_last_layer_have_their_certified_influence(measured, every):
    model, found = measured
    table = found.to_pandas()
    assert len(table) == 2 * N_NEURONS * len(STRATA)
    last = table[(table.layer == 1) & table.exact].set_index(["stratum", "neuron"]).influence
    due = measure_influence(model, every, options=QUICK).to_pandas().set_index(["stratum", "neuron"]).influence
    assert len(last) >= 2 * 9
    # Means of activations are over the same contexts; float64, two orders of summation.
    np.testing.assert_allclose(last, due.loc[last.index], rtol=0, atol=1e-8)


def test_the_model_is_left_as_it_was(measured):
    model, _ = measured
    assert all(module.training for module in model.modules())
    assert all(value.requires_grad and value.grad is None for value in model.parameters())


def test_tables_are_the_pipelines_without_their_place(measured, tmp_path):
    _, found = measured
    assert list(found.tables) == ["layer_influence", "layer_audit", "heads"]
    for name, table in found.tables.items():
        assert table.column_names == [f.name for f in table_schema(name) if f.name not in table_entry(name).place]
    assert len(found.write(tmp_path, model="m", step=3)) == 3
    (axis,) = found.plot(column="influence_within").axes
    assert axis.get_ylabel() == "influence within stratum (nats per token)"


def test_what_cannot_be_is_refused(panel):
    model = random_model("gpt_neox-parallel", dtype=torch.float32)
    with pytest.raises(RequestError, match="no stratum 'rar' in the panel; near: rare; there: common, rare"):
        measure_layers(model, panel, options={"strata": "rar"})
    with pytest.raises(RequestError, match="no option 'steps' in measure_layers"):
        measure_layers(model, panel, options={"steps": [0]})
    with pytest.raises(RequestError, match="cannot be measured in bfloat16"):
        measure_layers(model.bfloat16(), panel, options=FEW)
