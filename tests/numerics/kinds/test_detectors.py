import numpy as np
import pytest

from rare_neurons.numerics.kinds.detectors import DetectorSearch, covering_number
from tests.numerics.kinds.made import PHRASE, common_gram, counts_of, occurs, zipf_text

TEXT = zipf_text(n_contexts=240)


def planted() -> dict[str, tuple[np.ndarray, str | None]]:
    """Where each neuron is active, and what it is."""
    rng = np.random.default_rng(1)
    shape = TEXT.token_ids.shape
    leaky = occurs(TEXT, common_gram(TEXT, 1, 9))
    return {
        "token": (occurs(TEXT, common_gram(TEXT, 1, 12)), "token_detector"),
        "four tokens": (sum(occurs(TEXT, common_gram(TEXT, 1, k)) for k in (14, 20, 25, 30)) > 0, "token_detector"),
        "a very frequent token": (occurs(TEXT, common_gram(TEXT, 1, 0)), "token_detector"),
        "bigram": (occurs(TEXT, PHRASE[:2]), "bigram_detector"),
        "trigram": (occurs(TEXT, PHRASE), "trigram_detector"),
        "leaky": (leaky & (rng.random(shape) < 0.8), None),
        "a token and noise": (leaky | (rng.random(shape) < 0.02), None),
        "six tokens": (sum(occurs(TEXT, common_gram(TEXT, 1, k)) for k in range(12, 18)) > 0, None),
        "noise": (rng.random(shape) < 0.01, None),
        "half of the time": (rng.random(shape) < 0.5, None),
        "on one part only": (leaky & (TEXT.part == 0)[:, None], "undecided"),
        "another thing on the other part": (
            np.where((TEXT.part == 0)[:, None], leaky, occurs(TEXT, common_gram(TEXT, 1, 11))),
            None,
        ),
    }


PLANTED = planted()
ACTIVE = np.stack([active for active, _ in PLANTED.values()], axis=2)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("listed", [0.0, 0.02, 1.0])
def test_planted_kinds_are_found_and_nothing_else(name, listed):
    counts = counts_of(TEXT, ACTIVE, frequent=TEXT.grams[0].tokens.size, listed=listed)
    neuron = list(PLANTED).index(name)
    found, expected = DetectorSearch(counts, TEXT)(neuron), PLANTED[name][1]
    if counts.listed[neuron] or "gram" not in name:
        allowed = {expected} if counts.listed[neuron] else {expected, "undecided"}
        assert found.kind in allowed
    else:
        assert found.kind == "undecided"  # counts by type cannot see bigrams


def test_every_list_decides_and_triggers_are_named():
    search = DetectorSearch(counts_of(TEXT, ACTIVE, listed=1.0), TEXT)
    assert {name: search(k).kind for k, name in enumerate(PLANTED)} == {
        name: kind for name, (_, kind) in PLANTED.items()
    }
    assert search(list(PLANTED).index("bigram")).triggers == (PHRASE[:2],)
    tokens = {gram[0] for gram in search(list(PLANTED).index("four tokens")).triggers}
    assert tokens == {common_gram(TEXT, 1, k)[0] for k in (14, 20, 25, 30)}
    reason = search(list(PLANTED).index("on one part only")).reason
    assert "token_detector on one part, but 0 activations on the other" in reason


def test_counts_of_frequent_types_never_contradict_lists():
    rng = np.random.default_rng(2)
    n_types = TEXT.grams[0].tokens.size
    subsets = [rng.permutation(n_types)[: rng.integers(1, 7)] for _ in range(40)]
    active = np.stack([np.isin(TEXT.token_ids, s) & (rng.random(TEXT.token_ids.shape) < 0.99) for s in subsets], axis=2)
    active = np.concatenate([active, rng.random((*TEXT.token_ids.shape, 3)) < 0.5], axis=2)
    exact = DetectorSearch(counts_of(TEXT, active, listed=1.0), TEXT)
    bounded = DetectorSearch(counts_of(TEXT, active, listed=0.0, frequent=15), TEXT)
    pairs = [(exact(k).kind, bounded(k).kind) for k in range(43)]
    assert all(b in (e, "undecided") for e, b in pairs)
    assert ("token_detector", "token_detector") in pairs
    assert any(e is None and b is None for e, b in pairs)


def test_covering_number_is_that_of_sorted_counts():
    counts = counts_of(TEXT, ACTIVE, listed=1.0)
    for k, name in enumerate(PLANTED):
        held = np.bincount(TEXT.token_ids[:, TEXT.min_position :][ACTIVE[:, TEXT.min_position :, k]])
        held = np.sort(held)[::-1]
        assert covering_number(counts, TEXT, k) == np.argmax(np.cumsum(held) >= 0.95 * held.sum()) + 1, name
    assert covering_number(counts_of(TEXT, ACTIVE, listed=0.0), TEXT, 0) is None
