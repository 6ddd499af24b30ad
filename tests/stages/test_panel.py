import re
from pathlib import Path

import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.stages.panel import check_panels
from rare_neurons.tables import read_metadata, read_table
from tests.models.tiny import LENGTH
from tests.stages.panels import ONLY_TRAINED, SETTINGS, STRATA, draw_panel, write_corpus


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path)


def token_ids(paths):
    return np.stack([row.values.to_numpy() for row in read_table(paths["contexts"])["token_ids"]])


def test_targets_are_the_tokens_of_the_contexts_in_their_strata(corpus, tmp_path):
    paths = draw_panel(tmp_path / "p", corpus)
    ids, targets = token_ids(paths), read_table(paths["targets"]).to_pydict()
    at = np.array(targets["context"]), np.array(targets["position"])
    np.testing.assert_array_equal(ids[at], targets["input_id"])
    np.testing.assert_array_equal(ids[at[0], at[1] + 1], targets["target_id"])
    types = assign_strata(read_table(corpus["unigram"])["count"].to_numpy(), STRATA)
    assert [list(STRATA)[i] for i in types[targets["target_id"]]] == targets["stratum"]
    assert read_metadata(paths["contexts"])["min_position"] == SETTINGS["min_position"] == min(targets["position"])


def test_contexts_are_cut_from_held_out_documents_and_laid_on_the_grid(corpus, tmp_path):
    paths = draw_panel(tmp_path / "p", corpus)
    contexts, targets = (read_table(paths[name]).to_pydict() for name in ("contexts", "targets"))
    assert token_ids(paths).shape[1] == LENGTH
    assert ONLY_TRAINED not in token_ids(paths)
    assert set(contexts["fold"]) == set(targets["type_bin"]) == set(range(N_FOLDS))
    for label, place in (
        ("document", [contexts["fold"][c] for c in targets["context"]]),
        ("target_id", targets["type_bin"]),
    ):
        where = dict(zip(targets[label], place, strict=True))
        assert [where[one] for one in targets[label]] == place


def test_the_sizes_of_the_strata_are_told(corpus, tmp_path):
    paths = draw_panel(tmp_path / "p", corpus)
    counts = read_table(corpus["unigram"])["count"].to_numpy()
    types = assign_strata(counts, STRATA)
    rows = {row["stratum"]: row for row in read_table(paths["strata"]).to_pylist()}
    assert rows.keys() == STRATA.keys()
    for index, name in enumerate(STRATA):
        mine = counts[types == index]
        assert (rows[name]["vocabulary_types"], rows[name]["n_targets"]) == (mine.size, SETTINGS["targets_per_stratum"])
        assert (rows[name]["largest_count"], rows[name]["smallest_count"]) == (mine.max(), mine.min())
        assert rows[name]["training_mass"] == pytest.approx(mine.sum() / counts.sum())
        share = SETTINGS["max_targets_per_type"] / SETTINGS["targets_per_stratum"]
        assert rows[name]["largest_type_share"] <= share
        assert min(rows[name]["n_documents_effective"], rows[name]["n_types_effective"]) >= N_FOLDS


def test_equal_seeds_give_equal_files_and_others_another_panel(corpus, tmp_path):
    one, two, other = (draw_panel(tmp_path / str(i), corpus, seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert all(Path(one[name]).read_bytes() == Path(two[name]).read_bytes() for name in one)
    assert not read_table(one["targets"]).equals(read_table(other["targets"]))


def test_the_declared_order_of_the_strata_changes_no_target(corpus, tmp_path):
    orders = (STRATA, dict(sorted(STRATA.items())))
    one, two = (draw_panel(tmp_path / str(i), corpus, strata=s) for i, s in enumerate(orders))
    assert read_table(one["targets"]).equals(read_table(two["targets"]))
    assert read_metadata(one["targets"])["strata"] == list(STRATA)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets_per_stratum": 9999}, "panel 'p': the corpus has {'rare': .*but the panel asks for 9999 of each"),
        ({"context_length": 4000}, "panel 'p': 30 documents with 2700 tokens do not fill one context of 4000"),
        (
            {"max_targets_per_type": 50, "strata": {"a": {"mass": [0, 0.2]}, "b": {"mass": [0.2, 1]}}},
            "panel 'p': the targets of stratum 'a' come from .* effective token types, but fewer than 12",
        ),
        ({"strata": {"a": {"mass": [0, 0.5]}, "b": {"mass": [0, 0.9]}}}, "panel 'p': strata 'a' and 'b' share"),
    ],
)
def test_a_panel_that_cannot_be_drawn_is_refused_before_anything_is_written(corpus, tmp_path, changes, message):
    with pytest.raises(RequestError, match=message):
        draw_panel(tmp_path / "p", corpus, **changes)
    assert not (tmp_path / "p").exists()
    with pytest.raises(RequestError, match=message):
        check_panels(corpus["tokens"], {"good": SETTINGS, "p": {**SETTINGS, **changes}})


def test_a_check_names_the_panel_and_writes_nothing(corpus, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    check_panels(corpus["tokens"], {"good": SETTINGS})
    with pytest.raises(RequestError, match=re.escape("panel 'large': ")):
        check_panels(corpus["tokens"], {"good": SETTINGS, "large": {**SETTINGS, "targets_per_stratum": 9999}})
    assert sorted(tmp_path.rglob("*")) == before
