import numpy as np
import pytest
import torch

from rare_neurons.models.activity.counting import ActivityCounts
from tests.numerics.kinds.made import zipf_text

N = 7
RATES = np.array([0.0, 0.002, 0.008, 0.02, 0.3, 0.7, 1.0])


def run(text, pre, batch=11, **options):
    counts = ActivityCounts(text, n_layers=2, **options)
    for start in range(0, len(pre), batch):
        block = torch.from_numpy(pre[start : start + batch]).flatten(0, 1)
        counts.visit(1, block, 2 * block)
        counts.visit(0, -block, block)
        counts.advance(min(start + batch, len(pre)))
    return counts.finish()


@pytest.fixture(scope="module")
def pass_over_text():
    text = zipf_text(n_contexts=90)
    rng = np.random.default_rng(0)
    size = (*text.token_ids.shape, N)
    return text, np.where(rng.random(size) < RATES, 1, -1) * rng.random(size)


def test_counts_are_those_of_plain_sums(pass_over_text):
    text, pre = pass_over_text
    _, counts = run(text, pre)
    active = (pre > 0) & (np.arange(pre.shape[1]) >= text.min_position)[None, :, None]
    for part in (0, 1):
        own = active[text.part == part]
        assert counts.n_active[part].tolist() == own.sum((0, 1)).tolist()
        for k in (0, 5, 40):
            at = text.token_ids[text.part == part] == counts.frequent[k]
            assert counts.by_type[part, k].tolist() == own[at].sum(0).tolist()
    assert counts.by_position.tolist() == active.sum(0)[text.min_position :].tolist()
    np.testing.assert_allclose(counts.sd, (2 * pre[:, text.min_position :]).reshape(-1, N).std(0), rtol=1e-6)


def test_lists_hold_exactly_the_rare_neurons_activations(pass_over_text):
    text, pre = pass_over_text
    _, counts = run(text, pre)
    share = ((pre > 0)[:, text.min_position :]).mean((0, 1))
    assert counts.listed.tolist() == (share <= 0.01).tolist() == [True, True, True, False, False, False, False]
    eligible = (pre > 0) & (np.arange(pre.shape[1]) >= text.min_position)[None, :, None]
    for neuron in range(3):
        assert counts.places(neuron).tolist() == np.flatnonzero(eligible[:, :, neuron]).tolist()


def test_rotation_keeps_a_contexts_activations_and_loses_their_positions(pass_over_text):
    text, _ = pass_over_text
    pre = -np.ones((*text.token_ids.shape, 2))
    pre[:, 20:30, 0] = 1
    pre[::2, :, 1] = 1
    _, counts = run(text, pre)
    assert counts.by_rotated.sum(0).tolist() == counts.by_position.sum(0).tolist()
    assert counts.by_position[:, 0].max() == 90 > 2 * counts.by_rotated[:, 0].max()
    assert set(counts.by_rotated[:, 1].tolist()) == {45}


def test_lists_never_exceed_their_bound_and_the_most_active_neurons_lose_theirs(pass_over_text):
    text, pre = pass_over_text
    _, whole = run(text, pre, listed=0.05)
    sizes = np.diff(whole.offsets)
    most = int(sizes[1] + sizes[2])
    kept = run(text, pre, listed=0.05, most_entries=2 * most)
    assert sum(len(layer.positions) for layer in kept) <= 2 * most
    assert kept[1].listed.sum() < whole.listed.sum()
    for neuron in np.flatnonzero(kept[1].listed):
        assert kept[1].places(neuron).tolist() == whole.places(neuron).tolist()
