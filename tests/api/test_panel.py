import numpy as np
import pytest
import torch

from rare_neurons.api.panel import make_panel
from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.strata import assign_strata
from tests.api.contexts import FEW_TYPES, N_CONTEXTS, STRATA, of_documents, random_contexts
from tests.models.tiny import LENGTH, VOCAB

IDS = random_contexts()
pytestmark = pytest.mark.filterwarnings(FEW_TYPES)


def drawn(**about):
    return make_panel(IDS, **{"strata": STRATA, "documents": of_documents(), "min_position": 2, **about})


def test_as_many_eligible_positions_of_each_stratum_are_targets_as_the_smallest_has():
    arrays = drawn(targets_per_stratum=None).arrays
    arrays.check()
    of_type = assign_strata(np.bincount(IDS.ravel()), STRATA)
    assert np.array_equal(arrays.vocab_stratum, of_type)
    available = np.bincount(of_type[IDS[:, 3:]].ravel())
    assert np.bincount(arrays.stratum).tolist() == [available.min()] * 2
    assert len(set(zip(arrays.context.tolist(), arrays.position.tolist(), strict=True))) == 2 * available.min()
    assert np.array_equal(arrays.target_id, IDS[arrays.context, arrays.position + 1])
    assert np.array_equal(arrays.document, of_documents()[arrays.context])


def test_sizes_are_said_by_stratum():
    panel = drawn()
    sizes = panel.to_pandas().set_index("stratum")
    assert sizes.n_targets.sum() == len(panel.arrays.context)
    assert (sizes.n_documents == N_CONTEXTS // 3).all()


def test_counts_decide_what_is_rare():
    """Counts that fall with the id, then the same as probabilities: the same strata and the same order of shares."""
    counts = np.arange(VOCAB, 0, -1) * 5
    panel = drawn(counts=counts)
    assert np.array_equal(panel.arrays.vocab_stratum, assign_strata(counts, STRATA))
    of_shares = drawn(counts=counts / counts.sum())
    assert np.array_equal(of_shares.arrays.vocab_stratum, panel.arrays.vocab_stratum)
    # Smoothing adds one to counts of 5 and more, a share of at most 1/6.
    np.testing.assert_allclose(of_shares.arrays.log_unigram, panel.arrays.log_unigram, atol=np.log(1 + 1 / 5))
    assert np.exp(panel.arrays.log_unigram).sum() == pytest.approx(1, abs=1e-12)


def test_strata_may_be_lists_of_ids():
    panel = drawn(strata={"even": range(0, VOCAB, 2), "odd": list(range(1, VOCAB, 2))})
    assert (panel.arrays.vocab_stratum == np.arange(VOCAB)[: len(panel.arrays.vocab_stratum)] % 2).all()
    assert panel.rules["strata"]["odd"] == list(range(1, VOCAB, 2))


def test_a_limit_and_a_seed_are_heeded():
    one, other = (drawn(targets_per_stratum=200, seed=seed) for seed in (0, 1))
    assert one.to_pandas().n_targets.tolist() == [200, 200]
    assert one.digest != other.digest
    assert one.digest == drawn(targets_per_stratum=200, seed=0).digest


def test_a_tensor_is_an_array():
    assert (
        drawn().digest == make_panel(torch.tensor(IDS), strata=STRATA, documents=of_documents(), min_position=2).digest
    )


def test_documents_that_share_a_context_are_one():
    """Packed contexts: the second half of each is the first document of the next, five contexts to a chain."""
    labels = np.arange(N_CONTEXTS)[:, None] + (np.arange(LENGTH) >= LENGTH // 2)
    labels[4::5, LENGTH // 2 :] = labels[4::5, :1]
    panel = drawn(documents=labels)
    of_context = dict(zip(panel.arrays.context.tolist(), panel.arrays.document.tolist(), strict=True))
    chain = [of_context[c] for c in range(N_CONTEXTS)]
    assert chain == [c // 5 for c in range(N_CONTEXTS)]


def test_few_documents_warn_and_fewer_are_refused():
    with pytest.warns(UserWarning, match=r"stratum 'rare': 19\.. effective documents, but fewer than 30") as caught:
        drawn(documents=np.arange(N_CONTEXTS) % 20)
    assert caught[0].filename == __file__
    with pytest.raises(RequestError, match=r"panel of 144 contexts of 14 tokens: .*'common' come from .*8"):
        drawn(documents=np.arange(N_CONTEXTS) % 8)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"documents": [0, 1]}, r"documents: shape \(2,\), but \(144,\) or \(144, 14\) is needed"),
        ({"counts": [5, 4]}, "counts: 2 ids, but token_ids hold id"),
        ({"counts": [0.0] * VOCAB}, "counts: all are 0"),
        ({"counts": [[1, 2]]}, r"counts: shape \(1, 2\) of int64, but one count"),
        ({"strata": {"a": [1, 2], "b": [2, 3]}}, "strata 'a' and 'b' share 1 types"),
        ({"strata": {"a": [1, 2], "b": {"mass": [0.9, 1.0]}}}, "give one kind for all"),
        ({"strata": {"a": [VOCAB + 5]}}, r"stratum 'a': token ids from 0 to \d+ are needed"),
        ({"min_positions": 3}, "no option 'min_positions' in make_panel; near: min_position"),
        ({"targets_per_stratum": 10**6}, "lower targets_per_stratum"),
        ({"min_position": 20}, "eligible targets per stratum"),
    ],
)
def test_what_does_not_fit_is_refused(about, message):
    with pytest.raises(RequestError, match=message):
        drawn(**about)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[1, 2], [3]], "rows of different lengths"),
        ([1, 2, 3], r"shape \(3,\) of int64, but whole numbers"),
        ([[0.5, 1.0]], "whole numbers"),
        ([[1, -100]], "-100 is below 0"),
    ],
)
def test_contexts_are_whole_numbers_of_one_length(ids, message):
    with pytest.raises(RequestError, match=message):
        make_panel(ids)
