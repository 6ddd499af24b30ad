"""Second order of the last layer, against differences of the losses of edited passes."""

import numpy as np
import pytest
import torch

from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.last_layer import LastLayer
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.taps import run_tapped
from tests.models.tiny import N_NEURONS, random_model, random_panel

SETTINGS = PassSettings(epsilon=1e-6, sign_draws=2, target_draws=0, seed=0)
STEP = 1e-3  # fourth derivatives leave about 1e-6 of a second difference, rounding in float64 1e-9


def _batch(name, contexts=slice(0, 6)):
    model, panel = random_model(name), random_panel()
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), None, seed=0)
    rows = np.flatnonzero((sample.context >= contexts.start) & (sample.context < contexts.stop))
    return Batch(blocks, readout, sample, contexts, rows, torch.full((2, N_NEURONS), 0.1, dtype=torch.float64))


def _losses_along(batch, neuron, step):
    """Losses of targets when one neuron of the last layer moves along δ at all positions `[part, target]`."""
    shifts = [torch.zeros_like(delta) for delta in batch.deltas]
    shifts[1][..., neuron] = step * batch.deltas[1][..., neuron]
    final = run_tapped(batch.blocks, batch.token_ids, shifts=shifts).final.detach()
    found = batch.readout.losses(final[batch.places()], batch.target_id())
    return torch.stack([found.whole, found.within]).detach()


@pytest.mark.parametrize("name", ["gpt_neox-parallel", "gpt2", "olmo2"])
def test_a_sign_alone_is_the_diagonal_by_stratum_half_and_context(name):
    batch, neuron = _batch(name), 7
    last = LastLayer(batch)
    alone = np.zeros((1, len(batch.rows), N_NEURONS), dtype=np.int8)
    alone[..., neuron] = -1
    last._draw = lambda _settings: alone
    found = last.second_order(SETTINGS)[0, ..., 0, neuron]
    plus, zero, minus = (_losses_along(batch, neuron, step) for step in (STEP, 0.0, -STEP))
    diagonal = (plus + minus - 2 * zero) / STEP**2
    expected = torch.zeros_like(found)
    for k, row in enumerate(batch.rows):
        s, h, c = (int(of[row]) for of in (batch.sample.stratum, batch.sample.half, batch.sample.context))
        expected[s, :, h, c] += diagonal[:, k]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6 * float(expected.abs().max()))


def test_draws_scatter_about_their_mean_and_not_about_zero():
    batch = _batch("gpt2")
    draws = LastLayer(batch).second_order(PassSettings(1e-4, 100, 0, 0)).sum((3, 4))[..., 0, :]
    exact = LastLayer(batch)
    exact._draw = lambda _settings: np.eye(N_NEURONS, dtype=np.int8)[:, None].repeat(len(batch.rows), 1)
    expected = torch.diagonal(exact.second_order(PassSettings(1e-4, 2, 0, 0)).sum((3, 4))[..., 0, :], dim1=0, dim2=-1)
    z = (draws.mean(0) - expected) / (draws.std(0) / 20)
    # 80 nearly normal numbers: one beyond 4.5 in two thousand runs.
    assert float(z.abs().max()) < 4.5
    assert float((z**2).mean()) == pytest.approx(1.0, abs=0.6)
