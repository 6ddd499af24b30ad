"""Sums over a sample: the same in any batches, and single targets that add up to all."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.estimate import estimate, mean_activation
from rare_neurons.models.layers.last_layer import LastLayer
from rare_neurons.models.layers.losses import LossReadout
from tests.models.tiny import config_of, random_model, random_panel

SETTINGS = PassSettings(epsilon=0.01, sign_draws=2, target_draws=2, seed=0)


def _setting(name="gpt2"):
    model, panel = random_model(name), random_panel()
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), None, seed=0)
    return blocks, readout, sample, mean_activation(blocks, sample, batch_size=8)


def test_means_are_over_natural_positions():
    blocks, _, sample, means = _setting("llama")
    trace = blocks.trace(torch.from_numpy(sample.token_ids))
    for layer, a in enumerate(trace.activations):
        torch.testing.assert_close(means[layer], a[:, 2:13].mean((0, 1)))
    torch.testing.assert_close(mean_activation(blocks, sample, batch_size=3), means)


@pytest.mark.parametrize("name", ["gpt2", "olmo2"])
def test_batches_do_not_matter(name):
    setting = _setting(name)
    done = []
    whole = estimate(*setting, SETTINGS, batch_size=8)
    small = estimate(*setting, SETTINGS, batch_size=3, tick=done.append)
    assert done == [3, 6, 8]
    for field in fields(whole.sums):
        one, other = (getattr(found.sums, field.name) for found in (whole, small))
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(one).max())
    for one, other in zip(whole.single, small.single, strict=True):
        order, back = np.argsort(one.rows), np.argsort(other.rows)
        np.testing.assert_array_equal(one.rows[order], other.rows[back])
        np.testing.assert_allclose(one.few[:, order], other.few[:, back], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(one.mean_square, other.mean_square, rtol=1e-9)


def test_a_network_of_one_layer_needs_no_pass_for_its_second_order(monkeypatch):
    config = config_of("gpt2")
    config.n_layer = 1
    torch.manual_seed(0)
    model, panel = AutoModelForCausalLM.from_config(config).eval().double(), random_panel()
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), None, seed=0)
    place = (blocks, readout, sample, mean_activation(blocks, sample, batch_size=8))
    batch = Batch(*place[:3], slice(0, 8), np.arange(len(sample.context)), place[3])
    expected = LastLayer(batch).second_order(SETTINGS).mean(0).sum(3).numpy()
    monkeypatch.setattr(Batch, "second_order", None)
    np.testing.assert_allclose(estimate(*place, SETTINGS, batch_size=8).sums.second.sum(3), expected)


def test_halves_only_divide_the_sums():
    setting = _setting()
    apart = estimate(*setting, SETTINGS, batch_size=8).sums
    together = estimate(*setting, PassSettings(0.01, 2, 0, 0, halves=False), batch_size=8).sums
    assert apart.first.shape[2] == 2
    assert together.first.shape[2] == 1
    for name in ("first", "second"):
        one, other = (getattr(sums, name).sum(2) for sums in (apart, together))
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-8 * np.abs(one).max())
    np.testing.assert_allclose(apart.sign_variance, together.sign_variance, rtol=1e-6)


def test_all_single_targets_add_up_to_the_first_order():
    blocks, readout, sample, means = _setting()
    found = estimate(blocks, readout, sample, means, PassSettings(0.01, 2, 12, 0), batch_size=8)
    for s, single in enumerate(found.single):
        assert sorted(single.rows) == np.flatnonzero(sample.stratum == s).tolist()
        np.testing.assert_array_equal(single.weight, 1)
        sums = found.sums.first[s].sum((1, 2))
        np.testing.assert_allclose(single.few.sum(1), sums, rtol=1e-4, atol=1e-5 * np.abs(sums).max())
        squares = np.square(single.few[0].astype(np.float64)).mean(0)
        np.testing.assert_allclose(single.mean_square[:, single.neurons], squares, rtol=1e-5)


def test_gauss_newton_is_the_mean_square_of_drawn_labels_effects():
    """Over many draws of labels: Σ over targets of Σ_v p_v (δ·g_v)², since labels of one context are independent.

    p and g are those within the target's class.
    """
    model, panel = random_model("gpt2"), random_panel()
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), 2, seed=0)
    means = mean_activation(blocks, sample, batch_size=8)
    batch = Batch(blocks, readout, sample, slice(0, 2), np.arange(len(sample.context)), means)
    draws = []
    for seed in range(100):
        batch.sample = replace(sample, uniform=1 - np.random.default_rng(seed).random(sample.uniform.shape))
        batch.base = batch.read(batch.base.passed, labels=True)
        draws.append(batch.gauss_newton().sum(1).numpy())
    mean, error = np.mean(draws, 0), np.std(draws, 0) / np.sqrt(len(draws))
    expected = np.zeros(mean.shape)
    for row in range(len(sample.context)):
        passed = batch.base.passed
        logits = readout.logits(passed.final[sample.context[row], sample.position[row]][None])
        own = readout.class_of_id == readout.class_of_id[sample.target_id[row]]
        p = logits.detach()[0].masked_fill(~own, -torch.inf).softmax(-1).numpy()
        for v in np.flatnonzero(p > 1e-4):
            loss = readout.losses_of_logits(logits, torch.tensor([v])).within.sum()
            effect = passed.contract(loss, batch.deltas)[sample.context[row]].numpy()
            expected[sample.stratum[row]] += p[v] * effect**2
    # Of 80 neurons and strata nearly all means of 100 draws lie within three standard errors.
    assert np.mean(np.abs(mean - expected) < 3 * error + 1e-4 * expected) > 0.9
