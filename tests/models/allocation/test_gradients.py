"""Sums by document fold and by signs of types, against dense gradients of those targets alone."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import batches_of
from rare_neurons.models.allocation.gradients import measure_node
from rare_neurons.models.allocation.products import TappedModel
from rare_neurons.models.allocation.units import Units
from rare_neurons.models.layers.losses import LossReadout
from tests.models.allocation.dense import gradients, panel_loss, random_update
from tests.models.tiny import VOCAB, random_model, random_panel

PANEL = random_panel()
SIGNS = np.where(np.random.default_rng(0).random(VOCAB) < 0.5, -1.0, 1.0)
LOSSES = [(stratum, part) for stratum in ("rare", "common") for part in ("whole", "within")]


def node(model, update, with_signs=True):
    readout = LossReadout(model, PANEL.vocab_stratum, n_strata=3)
    tapped = TappedModel(model, Units(model, readout.class_of_id.numpy()), update, readout.class_of_id)
    batches = batches_of(PANEL, 3)
    return measure_node(tapped, batches, readout=readout, strata=[2, 0], signs=SIGNS if with_signs else None)


def test_sums_of_folds_and_signs_are_those_of_their_targets():
    model = random_model("llama")
    update = random_update(model)
    found = node(model, update)
    assert found.slopes.shape[:2] == (4, 12)
    for k, (stratum, part) in enumerate(LOSSES):
        mine = np.flatnonzero(PANEL.stratum == PANEL.strata.index(stratum))
        for fold in (0, 3):
            rows = np.flatnonzero(PANEL.fold[PANEL.context[mine]] == fold)
            signs = torch.from_numpy(SIGNS[PANEL.target_id[mine[rows]]])
            for weights, sums in ((1.0, found.slopes), (signs, found.signed)):
                chosen = {"stratum": stratum, "part": part, "rows": rows, "weights": weights}
                g = gradients(model, partial(panel_loss, panel=PANEL, **chosen))
                expected = sum(float((g[name] * update[name]).sum()) for name in g)
                assert sums[k, fold].sum() == pytest.approx(expected)
            loss = panel_loss(model, PANEL, stratum, part, rows=rows)
            assert found.loss[k, fold] == pytest.approx(float(loss.detach()))
    np.testing.assert_allclose(found.slope, found.slopes.sum((1, 2)))
    assert node(model, update, with_signs=False).signed is None


def test_slope_is_the_derivative_of_the_loss_along_the_line():
    model = random_model("olmo2")
    update = random_update(model)
    found = node(model, update, with_signs=False)
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = []
    for step in (Fraction(-1, 10**4), Fraction(1, 10**4)):
        with torch.no_grad():
            for name, p in model.named_parameters():
                p.copy_(start[name] + float(step) * update[name])
        losses.append(node(model, update, with_signs=False).loss.sum(1))
    # Central differences: 1e-8 of a third derivative.
    np.testing.assert_allclose(found.slope, (losses[1] - losses[0]) / 2e-4, rtol=1e-5, atol=1e-6)


def test_derivatives_that_are_not_finite_are_a_fault_of_the_data():
    model = random_model("gpt2")
    update = random_update(model)
    update["transformer.h.0.mlp.c_fc.weight"][0, 0] = torch.inf
    with pytest.raises(DataFault, match="not finite on the line between two checkpoints"):
        node(model, update)
