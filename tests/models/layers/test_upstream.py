"""Gradients at the unembedding are those of the losses themselves; labels are drawn as the model has them."""

import torch

from rare_neurons.models.layers import upstream
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.upstream import invert, target_gradients
from tests.models.tiny import D_MODEL, random_model, random_panel


def _setting():
    panel = random_panel()
    readout = LossReadout(random_model("opt"), panel.vocab_stratum, n_strata=3)
    torch.manual_seed(0)
    return readout, torch.randn(9, D_MODEL, dtype=torch.float64), torch.from_numpy(panel.target_id[:9])


def _by_autograd(readout, normed, target_id, part):
    x = normed.clone().requires_grad_()
    losses = readout.losses_of_logits(readout.head(x), target_id)
    return torch.autograd.grad(getattr(losses, part).sum(), x)[0]


def test_they_are_the_derivatives_of_the_losses(monkeypatch):
    readout, normed, target_id = _setting()
    expected = torch.stack([_by_autograd(readout, normed, target_id, part) for part in ("whole", "within")])
    torch.testing.assert_close(target_gradients(readout, normed, target_id), expected, rtol=0, atol=1e-12)
    monkeypatch.setattr(upstream, "CHUNK_ELEMENTS", 130)  # two targets at a time
    torch.testing.assert_close(target_gradients(readout, normed, target_id), expected, rtol=0, atol=1e-12)


def test_drawn_labels_have_the_gradients_of_their_losses():
    readout, normed, target_id = _setting()
    uniform = torch.rand(9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    p = readout.head(normed).detach().softmax(-1)
    own = readout.class_of_id[None] == readout.class_of_id[target_id][:, None]
    labels = invert(p * own, uniform)
    assert (readout.class_of_id[labels] == readout.class_of_id[target_id]).all()
    found = target_gradients(readout, normed, target_id, uniform)
    assert found.shape == (3, 9, D_MODEL)
    torch.testing.assert_close(found[2], _by_autograd(readout, normed, labels, "within"), rtol=0, atol=1e-12)


def test_labels_have_the_frequencies_of_their_weights():
    p = torch.tensor([[0.1, 0.0, 0.6, 0.1]], dtype=torch.float64)
    n = 1000
    uniform = (torch.arange(n) + 1).double() / n
    labels = invert(p.expand(n, 4), uniform)
    # Every n-th part of the unit interval once: frequencies are off by at most one of them.
    expected = (p[0] / p.sum()).float()
    torch.testing.assert_close(torch.bincount(labels, minlength=4) / n, expected, atol=1.1 / n, rtol=0)
    assert int(invert(torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1e-30]))) == 2
