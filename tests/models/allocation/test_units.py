"""Every weight in one unit, on every family: planted updates are found where they were planted, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rare_neurons.families import weight_matrices
from rare_neurons.models.allocation.products import TappedModel
from rare_neurons.models.allocation.units import Unit, Units
from rare_neurons.models.layers.losses import LossReadout
from tests.models.allocation.dense import random_update
from tests.models.tiny import N_NEURONS, NAMES, config_of, random_model, random_panel

KINDS = {"neuron", "head", "embedding", "unembedding", "norm", "other"}


def planted(name, change):
    """Units, and what each is given of an update that changes some weights in place `[unit]`."""
    panel, model, after = random_panel(), random_model(name), random_model(name)
    with torch.no_grad():
        change(after)
    update = {
        key: value.detach() - start
        for (key, value), start in zip(after.named_parameters(), model.parameters(), strict=True)
    }
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    units = Units(model, readout.class_of_id.numpy())
    passed = TappedModel(model, units, {k: v.detach() for k, v in update.items()}, readout.class_of_id).run(
        torch.from_numpy(panel.token_ids)
    )
    read = passed.read(torch.from_numpy(panel.context), torch.from_numpy(panel.position))
    loss = readout.losses_of_logits(read.logits, torch.from_numpy(panel.target_id)).whole.sum()
    return units.units, passed.contract(loss, read).sum(0)


def moved(found):
    """Units with an allocation that is not zero."""
    return {unit for unit, value in zip(*found, strict=True) if value != 0}


def matrices_of(model, layer, names):
    """Views of some matrices of a layer, and the biases of their outputs."""
    tensors = dict(model.named_parameters())
    for spec in weight_matrices(model.config.to_dict(), tensors):
        if spec.layer == layer and spec.matrix in names:
            bias = tensors.get(spec.tensor.removesuffix("weight") + "bias")
            by_input = spec.matrix in ("W_O", "W_out")
            cut = None if bias is None or by_input else replace(spec, transpose=False).select(bias[:, None])
            yield spec.matrix, spec.select(tensors[spec.tensor]), cut


@pytest.mark.parametrize("name", NAMES)
def test_an_update_of_two_neurons_is_theirs_alone(name):
    def change(model):
        for _matrix, weight, bias in matrices_of(model, 1, ("W_in", "W_gate", "W_out")):
            for neuron in (3, N_NEURONS - 1):
                weight[neuron] += 0.1
                if bias is not None:
                    bias[neuron] += 0.1

    assert moved(planted(name, change)) == {Unit(1, "neuron", 3), Unit(1, "neuron", N_NEURONS - 1)}


@pytest.mark.parametrize("name", NAMES)
def test_an_update_of_a_head_is_its_own_and_of_shared_slices_that_of_all_who_share_them(name):
    n_shared = getattr(config_of(name), "num_key_value_heads", None) or 2

    def change(names, model):
        for matrix, weight, bias in matrices_of(model, 0, names):
            rows = slice(6, 12) if matrix in ("W_Q", "W_O") or n_shared == 2 else slice(0, 6)
            if matrix == "W_O":
                weight[:, rows] += 0.1
            else:
                weight[rows] += 0.1
                if bias is not None:
                    bias[rows] += 0.1

    assert moved(planted(name, lambda model: change(("W_O",), model))) == {Unit(0, "head", 1)}
    if name.startswith("gpt_neox"):
        return
    assert moved(planted(name, lambda model: change(("W_Q", "W_O"), model))) == {Unit(0, "head", 1)}
    expected = {Unit(0, "head", 1)} if n_shared == 2 else {Unit(0, "head", 0), Unit(0, "head", 1)}
    assert moved(planted(name, lambda model: change(("W_K", "W_V"), model))) == expected


@pytest.mark.parametrize("head", [0, 1])
def test_fused_rows_are_those_of_the_head_that_reads_them(head):
    def change(model):
        attention = model.gpt_neox.layers[1].attention.query_key_value
        rows = slice(18 * head, 18 * head + 18)  # query, key and value of 6 dimensions each, head by head
        attention.weight[rows] += 0.1
        attention.bias[rows] += 0.1

    assert moved(planted("gpt_neox-parallel", change)) == {Unit(1, "head", head)}


def test_norms_output_biases_and_positions_are_units_of_their_own():
    def change(model):
        model.transformer.h[1].ln_2.weight += 0.1
        model.transformer.h[0].mlp.c_proj.bias += 0.1
        model.transformer.h[1].attn.c_proj.bias += 0.1
        model.transformer.wpe.weight += 0.1
        model.transformer.ln_f.bias += 0.1

    assert moved(planted("gpt2", change)) == {
        *(Unit(layer, "other") for layer in (None, 0, 1)),
        *(Unit(layer, "norm") for layer in (None, 1)),
    }


@pytest.mark.parametrize(("name", "kinds"), [("llama", {"embedding", "unembedding"}), ("gpt2", {"embedding"})])
def test_rows_of_tokens_are_counted_with_their_stratum_and_tied_ones_once(name, kinds):
    panel = random_panel()
    ids = np.flatnonzero(panel.vocab_stratum == 2)

    def change(model):
        for weight in {model.get_input_embeddings().weight, model.get_output_embeddings().weight}:
            weight[ids] += 0.1

    found = planted(name, change)
    assert moved(found) == {Unit(None, kind, None, 2) for kind in kinds}
    assert {unit.kind for unit in found[0]} == KINDS - ({"embedding", "unembedding"} - kinds)
    assert Unit(None, "embedding", None, 3) in found[0]  # ids without a stratum


@pytest.mark.parametrize("name", NAMES)
def test_every_module_with_weights_has_a_share(name):
    model = random_model(name)
    units = Units(model, np.zeros(model.config.vocab_size, dtype=int))
    weights = {name for name, _ in random_update(model).items()}
    shared = {
        f"{share.module}.{local}"
        for share in units.shares
        for local, _ in model.get_submodule(share.module).named_parameters(recurse=False)
    }
    assert weights - shared == set()
    assert len(set(units.units)) == len(units.units)
    assert [u for u in units.units if u.kind == "neuron" and u.layer == 1] == [
        Unit(1, "neuron", k) for k in range(N_NEURONS)
    ]
