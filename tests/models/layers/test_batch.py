"""Second order by random signs: a quadratic loss, where the truth is known, and single precision."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rare_neurons.models.layers import batch as batch_module
from rare_neurons.models.layers import last_layer as last_module
from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.last_layer import LastLayer
from rare_neurons.models.layers.losses import LossReadout
from tests.models.tiny import random_model, random_panel

SETTINGS = PassSettings(epsilon=0.01, sign_draws=2, target_draws=0, seed=0, halves=False)
N, D, T = 2, 3, 2


class QuadraticNet:
    """Two linear layers of two neurons; the first acts on later positions too."""

    def __init__(self):
        torch.manual_seed(0)
        draw = lambda *size: torch.randn(*size, dtype=torch.float64)  # noqa: E731
        self.model = torch.nn.Module()
        self.model.w_out = torch.nn.ModuleList([torch.nn.Linear(N, D, dtype=torch.float64) for _ in range(2)])
        self.model.ends = torch.nn.ModuleList([torch.nn.Identity(), torch.nn.Identity()])
        self.w_out, self.blocks = list(self.model.w_out), list(self.model.ends)
        self.w_in, self.x, self.mix = [draw(D, N), draw(D, N)], draw(1, T, D), draw(T, T).tril()

        self.post_norms, self.readers = None, [[], []]
        self.w_o = [torch.nn.Identity(), torch.nn.Identity()]

    def __len__(self):
        return 2

    def directions(self, layer):
        return self.w_out[layer].weight.detach().T

    def run(self, token_ids):
        x = self.x.expand(len(token_ids), T, D)
        x = torch.einsum("st,btd->bsd", self.mix, x + self.w_out[0](x @ self.w_in[0]))
        self.blocks[1](x + self.w_out[1](x @ self.w_in[1]))


class QuadraticReadout:
    """Whole loss ½ rᵀQr + qᵀr; the within loss is twice that."""

    def __init__(self):
        torch.manual_seed(1)
        Q = torch.randn(D, D, dtype=torch.float64)
        self.Q, self.q, self.norm = Q + Q.T, torch.randn(D, dtype=torch.float64), torch.nn.Identity()

    def loss(self, residual):
        return (0.5 * ((residual @ self.Q) * residual).sum(-1) + residual @ self.q).sum()

    def gradients(self, normed, _target_id, _uniform=None):
        whole = normed @ self.Q + self.q
        return torch.stack([whole, 2 * whole])


@pytest.fixture
def quadratic(monkeypatch):
    for module in (batch_module, last_module):
        monkeypatch.setattr(module, "target_gradients", QuadraticReadout.gradients)
    return _toy()


def _toy():
    sample = SimpleNamespace(
        strata=("only",),
        token_ids=np.zeros((1, T), dtype=np.int64),
        context=np.zeros(T, dtype=np.int64),
        position=np.arange(T),
        target_id=np.zeros(T, dtype=np.int64),
        stratum=np.zeros(T, dtype=np.int64),
        half=np.zeros(T, dtype=np.int64),
        uniform=np.ones(T),
    )
    means = torch.randn(2, N, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    return Batch(QuadraticNet(), QuadraticReadout(), sample, slice(0, 1), np.arange(T), means)


def _loss_along(toy, layer, neuron, step):
    shifts = [torch.zeros_like(delta) for delta in toy.deltas]
    shifts[layer][..., neuron] = step * toy.deltas[layer][..., neuron]
    with torch.no_grad():
        passed = batch_module.run_tapped(toy.blocks, toy.token_ids, shifts=shifts)
        return float(toy.readout.loss(passed.final))


def test_the_mean_over_all_signs_is_the_diagonal_of_a_quadratic_loss(quadratic):
    toy = quadratic
    first = toy.first_order(toy.base, toy.deltas, SETTINGS)
    signs = torch.tensor(list(itertools.product((-1, 1), repeat=N)), dtype=torch.int8)
    draws = torch.stack([toy.second_order(first, z.reshape(1, 1, N), SETTINGS) for z in signs])
    signs = torch.tensor(list(itertools.product((-1, 1), repeat=T * N)), dtype=torch.int8)
    last = LastLayer(toy)
    last._draw = lambda _settings: signs.reshape(-1, T, N).numpy()
    drawn = [draws, last.second_order(SETTINGS)]
    mean = torch.cat([one.mean(0) for one in drawn], -2)[0, :, 0, 0]
    spread = torch.cat([one.std(0) for one in drawn], -2)[0, 0, 0, 0]
    for layer, neuron in itertools.product(range(2), range(N)):
        zero, plus, minus = (_loss_along(toy, layer, neuron, step) for step in (0, 1, -1))
        diagonal = plus + minus - 2 * zero
        assert float(mean[0, layer, neuron]) == pytest.approx(diagonal, rel=1e-8, abs=1e-10)
        assert float(mean[1, layer, neuron]) == pytest.approx(2 * diagonal, rel=1e-8, abs=1e-10)
        # First order and half the diagonal are all of a quadratic effect.
        effect = float(first[0, 0, 0, 0, layer, neuron]) + 0.5 * diagonal
        assert effect == pytest.approx(plus - zero, rel=1e-8)
    assert float(spread.min()) > 0.05  # single draws are far from it


def _orders(dtype, epsilon):
    model, panel = random_model("gpt_neox-parallel"), random_panel()
    with torch.no_grad():
        for parameter in model.parameters():  # single precision sees the weights of double precision
            parameter.copy_(parameter.float().double() * (0.3 if parameter.dim() == 2 else 1.0))
    model = model.to(dtype)
    settings = PassSettings(epsilon=epsilon, sign_draws=2, target_draws=0, seed=0)
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), None, seed=0)
    means = torch.full((2, 20), 0.1, dtype=dtype)
    batch = Batch(blocks, readout, sample, slice(0, 8), np.arange(len(sample.context)), means)
    first = batch.first_order(batch.base, batch.deltas, settings)
    last = LastLayer(batch).second_order(settings)
    return [one.double() for one in (first, batch.second_order(first, batch.draw(0, settings), settings), last)]


def test_single_precision_with_the_default_step_is_double_precision_with_a_small_one_to_a_hundredth():
    for one, other in zip(_orders(torch.float32, 0.01), _orders(torch.float64, 1e-6), strict=True):
        assert float((one - other).norm() / other.norm()) < 0.01
