"""A panel whose parts contradict each other, or another tokenizer's, is refused."""

import dataclasses

import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.panel_arrays import PARTS, sort_vocabulary
from tests.models.tiny import EXACT, VOCAB, random_model, random_panel


def test_padding_ids_have_no_stratum_and_a_larger_tokenizer_is_refused():
    model, panel = random_model("gpt2"), random_panel()
    keep = VOCAB - 4  # the panel's tokenizer may end before the model's padded vocabulary
    short = dataclasses.replace(panel, vocab_stratum=panel.vocab_stratum[:keep], log_unigram=panel.log_unigram[:keep])
    full, padded = probe_model(model, panel, EXACT), probe_model(model, short, EXACT)
    np.testing.assert_allclose(padded.influence_within, full.influence_within, atol=1e-12)
    larger = dataclasses.replace(
        panel, vocab_stratum=np.append(panel.vocab_stratum, 0), log_unigram=np.append(panel.log_unigram, -20.0)
    )
    with pytest.raises(RequestError, match=f"{VOCAB + 1} ids, the model's unembedding only {VOCAB}"):
        probe_model(model, larger, EXACT)


def test_strata_by_input_token():
    panel = random_panel()
    by_input = panel.vocab_stratum[panel.token_ids[panel.context, panel.position]]
    result = probe_model(random_model("gpt2"), dataclasses.replace(panel, stratum=by_input), EXACT)
    np.testing.assert_array_equal(result.n_targets, np.bincount(by_input, minlength=3))
    assert np.isfinite(result.influence_within).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fold": np.zeros(3, dtype=int)}, "fold has 3 entries, 8 expected"),
        ({"min_position": 9}, "leave the eligible 9"),
        ({"target_id": np.zeros_like(random_panel().context)}, "target ids differ from the token after"),
        ({"stratum": 2 - random_panel().stratum}, "neither those of the targets nor those of the inputs"),
        ({"log_unigram": np.zeros(5)}, "vocab_stratum has 61 ids, log_unigram 5"),
        ({"document": np.zeros(3, dtype=int)}, "document has 3 entries, 70 expected"),
        ({"fold": np.arange(8) + 5}, r"document folds 5\.\.12 leave the grid's 0\.\.11"),
        ({"type_bin": random_panel().type_bin - 1}, r"type bins -1\.\.10 leave the grid's 0\.\.11"),
        ({"fold": np.arange(8)}, "document 0 is in 0 and 1 of the grid, but a whole one belongs to one fold"),
        ({"type_bin": np.arange(70) % 12}, "target type [0-9]+ is in [0-9]+ and [0-9]+ of the grid"),
        ({"fold": np.zeros(8, dtype=int)}, "stratum 'common' has 20 targets, but none in part B of the grid"),
        ({"strata": ("common", "mid", "rare", "odd")}, "stratum 'odd' has 0 targets, but none in part A"),
    ],
)
def test_contradictory_panels_are_refused(change, message):
    with pytest.raises(RequestError, match=message):
        probe_model(random_model("gpt2"), dataclasses.replace(random_panel(), **change), EXACT)


def test_cells_and_pairs_tell_targets_apart():
    panel = random_panel()
    fold, type_bin = np.divmod(panel.cell(), 12)
    np.testing.assert_array_equal(fold, panel.fold[panel.context])
    np.testing.assert_array_equal(type_bin, panel.type_bin)
    pairs = set(zip(panel.document, panel.target_id, strict=True))
    assert len(np.unique(panel.pair())) == len(pairs) < len(panel.context)


def test_parts_share_neither_documents_nor_types():
    rows, columns = (PARTS.any(axis) for axis in (2, 1))
    assert not (rows[0] & rows[1]).any()
    assert not (columns[0] & columns[1]).any()
    assert PARTS.sum((1, 2)).tolist() == [36, 36]


def test_columns_are_sorted_by_stratum_and_ids_without_one_come_last():
    found = sort_vocabulary(np.array([1, -1, 0, 1]), n_strata=3, n_vocab=6)
    assert found.order.tolist() == [2, 0, 3, 1, 4, 5]
    assert [found.order[found.column[v]].item() for v in range(6)] == list(range(6))
    assert found.slices == (slice(0, 1), slice(1, 3), slice(3, 3), slice(3, 6))
    assert found.class_of_column.tolist() == [0, 1, 1, 3, 3, 3]


def test_natural_weights_restore_the_shares_of_eligible_positions():
    panel = random_panel()
    weights = panel.natural_weights()
    natural = panel.vocab_stratum[panel.token_ids[:, panel.min_position + 1 :]]
    for s in range(3):
        assert weights[panel.stratum == s].sum() == pytest.approx((natural == s).sum())
