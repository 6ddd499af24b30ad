"""The factor of token types: from a part of the targets what all of them would show."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.sampling import audited_factor, type_factor
from rare_neurons.numerics.panel.standard_error import cluster_variance


def _targets(seed, type_share, n_neurons=40):
    rng = np.random.default_rng(seed)
    document, token = np.repeat(np.arange(60), 20), rng.integers(0, 50, 1200)
    effects = rng.standard_normal((1200, n_neurons)) + 0.3 * rng.standard_normal((60, n_neurons))[document]
    return effects + type_share * rng.standard_normal((50, n_neurons))[token], document, token


def _document_variance(effects, document):
    sums = np.zeros((60, effects.shape[1]))
    np.add.at(sums, document, effects)
    return cluster_variance(sums, np.bincount(document))


@pytest.mark.parametrize("type_share", [0.0, 0.3, 1.0])
def test_single_targets_tell_the_factor_of_all(type_share):
    effects, document, token = _targets(0, type_share)
    exact = audited_factor(effects, document=document, token=token)
    known = {"mean": effects.mean(0), "document_variance": _document_variance(effects, document), "n_targets": 1200}
    everything = type_factor(effects, weight=np.ones(1200), document=document, token=token, **known)
    # One uses G/(G − 1) for 50 types, the other does not.
    assert everything == pytest.approx(exact, rel=0.03)
    rng = np.random.default_rng(1)
    few = np.concatenate([rng.permutation(np.flatnonzero(document == d))[:5] for d in range(60)])
    some = type_factor(effects[few], weight=np.full(300, 4.0), document=document[few], token=token[few], **known)
    assert some == pytest.approx(exact, rel=0.15)
    assert (exact > 1.5) == (type_share == 1.0)


def test_it_is_never_below_one_and_none_without_variance():
    effects, document, token = _targets(2, 0.0)
    unlike = np.arange(1200)  # no type twice
    assert audited_factor(effects, document=document, token=unlike) == 1.0
    known = {"mean": effects.mean(0), "weight": np.ones(1200), "document": document, "token": token, "n_targets": 1200}
    assert type_factor(effects, document_variance=np.zeros(40), **known) is None
    assert type_factor(effects, document_variance=np.full(40, np.nan), **known) is None
    assert audited_factor(effects[:20], document=document[:20], token=token[:20]) is None
