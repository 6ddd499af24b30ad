import numpy as np
import pytest
import torch

import rare_neurons
from rare_neurons.api.influence import measure_influence
from rare_neurons.errors import DataFault, RequestError
from rare_neurons.tables import table_entry, table_schema
from tests.api.contexts import DRAW, FEW_TYPES, QUICK, STRATA, of_documents, random_contexts
from tests.models.tiny import N_NEURONS, random_model

pytestmark = pytest.mark.filterwarnings(FEW_TYPES)


def ablated_loss(model, panel, neuron):
    """Loss of each target when one neuron of the final MLP has its mean activation, by a hook and nothing else."""
    ids, arrays = torch.from_numpy(panel.arrays.token_ids), panel.arrays
    w_out = model.gpt_neox.layers[-1].mlp.dense_4h_to_h
    seen = []

    def change(_, args):
        (activation,) = args
        seen.append(activation)
        if neuron is None:
            return None
        mean = activation[:, arrays.min_position : -1, neuron].mean()
        activation = activation.clone()
        activation[..., neuron] = mean
        return (activation,)

    handle = w_out.register_forward_pre_hook(change)
    try:
        with torch.no_grad():
            log_p = model(ids).logits.log_softmax(-1)
    finally:
        handle.remove()
    return -log_p[arrays.context, arrays.position, arrays.target_id].double().numpy()


def test_it_is_the_change_of_loss_when_a_neuron_is_mean_ablated(panel):
    model = random_model("gpt_neox-parallel")
    found = measure_influence(model, panel, options=QUICK).to_pandas()
    whole = ablated_loss(model, panel, None)
    for neuron in (0, 7, N_NEURONS - 1):
        change = ablated_loss(model, panel, neuron) - whole
        for index, stratum in enumerate(STRATA):
            mine = found[(found.stratum == stratum) & (found.neuron == neuron)].influence.item()
            # Float64 throughout: rounding of a mean of a thousand losses of size 10.
            assert mine == pytest.approx(change[panel.arrays.stratum == index].mean(), abs=1e-10)


def test_the_model_is_left_as_it_was(panel):
    model = random_model("gpt_neox-parallel", dtype=torch.float32).train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    state, hooks = torch.get_rng_state(), [len(m._forward_hooks) for m in model.modules()]
    measure_influence(model, panel, options=QUICK)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(value.grad is None for value in model.parameters())
    assert [len(m._forward_hooks) for m in model.modules()] == hooks


def test_tables_are_the_pipelines_without_their_place(model, panel):
    found = measure_influence(model, panel, options=QUICK)
    for name, table in found.tables.items():
        own = [f.name for f in table_schema(name) if f.name not in table_entry(name).place]
        assert table.column_names == own
        assert table.schema.field(own[-1]).metadata[b"meaning"]
    about = found.about["influence"]
    assert about["inputs"]["panel"] == panel.digest
    assert about["params"]["strata"] == STRATA
    assert (about["dtype"], about["commit"], about["weights_sha256"]) == ("float32", None, None)


def test_contexts_are_as_good_as_a_panel_drawn_from_them(model, panel):
    direct = rare_neurons.measure_influence(
        model, random_contexts(), strata=STRATA, documents=of_documents(), options=QUICK, **DRAW
    )
    assert direct.to_arrow().equals(measure_influence(model, panel, options=QUICK).to_arrow())


def test_a_wrong_request_is_refused_before_anything_runs(model, panel, monkeypatch):
    with pytest.raises(RequestError, match="strata, min_position: the panel is drawn already; give it to make_panel"):
        measure_influence(model, panel, strata=STRATA, min_position=2)
    with pytest.raises(RequestError, match=r"no option 'dtype' in measure_influence; .*there: engine, tolerance"):
        measure_influence(model, panel, options={"dtype": "float32"})
    with pytest.raises(RequestError, match="unknown engine 'fast'"):
        measure_influence(model, panel, options={"engine": "fast"})
    with pytest.raises(RequestError, match="this panel was made for another tokenizer"):
        measure_influence(model, random_contexts() + 40, strata=STRATA, documents=of_documents(), **DRAW)
    long = np.tile(random_contexts(), 3)
    with pytest.raises(RequestError, match="contexts of 42 tokens, but the model has 32 positions"):
        measure_influence(random_model("gpt2"), long, strata=STRATA, documents=of_documents(), **DRAW)


def test_a_network_that_gives_no_numbers_is_a_fault(panel):
    model = random_model("gpt_neox-parallel", dtype=torch.float32)
    with torch.no_grad():
        model.gpt_neox.final_layer_norm.weight.fill_(float("nan"))
        model.gpt_neox.layers[0].mlp.dense_4h_to_h.weight.fill_(float("nan"))
    with pytest.raises(DataFault, match="not finite"):
        measure_influence(model, panel, options=QUICK)
