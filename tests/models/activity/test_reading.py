import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.activity.reading import SPLITS, choose_contexts, choose_rows, choose_targets
from tests.models.tiny import random_panel

PANEL = random_panel(n_contexts=48, per_stratum=90)
EVERY = np.arange(48)


def test_rows_of_a_split_share_neither_documents_nor_types_with_each_other_or_with_part_a():
    rows = choose_rows(PANEL, EVERY, most=1000)
    assert (PANEL.token_ids[rows.context, rows.position + 1] == rows.target_id).all()
    assert (PANEL.token_ids[rows.context, rows.position] == rows.input_id).all()
    assert (PANEL.vocab_stratum[rows.target_id] == rows.stratum).all()
    of_a = (PANEL.fold[PANEL.context] < 6) & (PANEL.type_bin < 6)
    for split in SPLITS:
        parts = [rows.block == b for b in split]
        for name in ("context", "target_id"):
            sides = [set(getattr(rows, name)[part].tolist()) for part in parts]
            assert not sides[0] & sides[1]
            assert not (sides[0] | sides[1]) & set(getattr(PANEL, name)[of_a].tolist())
        assert all(part.sum() > 20 for part in parts)


def test_rows_are_more_than_the_targets_and_at_most_as_many_as_asked():
    some = choose_rows(PANEL, EVERY, most=5)
    counts = np.bincount(some.stratum * 4 + some.block, minlength=12)
    assert counts.max() == 5
    targets = choose_targets(PANEL, EVERY, most=1000)
    assert len(targets) < len(choose_rows(PANEL, EVERY, most=1000).context)
    assert np.bincount(PANEL.stratum[choose_targets(PANEL, EVERY, most=7)]).tolist() == [7, 7, 7]
    assert (PANEL.fold[PANEL.context[targets]] >= 6).all()
    assert (PANEL.type_bin[targets] >= 6).all()


def test_contexts_are_the_same_share_of_every_fold():
    chosen = choose_contexts(PANEL.fold, 0.5)
    assert np.bincount(PANEL.fold[chosen]).tolist() == [2] * 12
    assert choose_contexts(PANEL.fold, 1).tolist() == EVERY.tolist()
    with pytest.raises(RequestError, match="share=0 of the contexts"):
        choose_contexts(PANEL.fold, 0)
