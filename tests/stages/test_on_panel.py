"""A panel's tables as arrays, and what a job notes of them."""

import json
from types import SimpleNamespace

import numpy as np

from rare_neurons.stages.on_panel import (
    PANEL_INPUTS,
    batch_size_of,
    load_panel,
    own_strata,
    panel_digests,
    panel_of,
    params_on,
    tokenizer_check,
)
from rare_neurons.sums import file_sha256
from rare_neurons.tables import read_table
from tests.models.tiny import VOCAB
from tests.stages.panels import STRATA, draw_panel, write_corpus, write_tokenizer


def inputs_in(folder):
    corpus = write_corpus(folder)
    drawn = draw_panel(folder / "panel", corpus)
    paths = {"contexts": drawn["contexts"], "targets": drawn["targets"], "unigram": corpus["unigram"]}
    return {**paths, "tokenizer": write_tokenizer(folder)}


def test_arrays_are_those_of_the_tables_in_the_declared_order_of_strata(tmp_path):
    inputs = inputs_in(tmp_path)
    panel = panel_of(inputs, STRATA)
    panel.check()
    assert panel.strata == tuple(STRATA)
    assert np.all(np.diff(panel.stratum) >= 0)
    rows = read_table(inputs["targets"]).to_pylist()
    told = {(row["stratum"], row["context"], row["position"], row["target_id"]) for row in rows}
    strata = np.array(panel.strata)[panel.stratum]
    assert set(zip(strata, panel.context, panel.position, panel.target_id, strict=True)) == told
    again = load_panel(**{name: inputs[name] for name in PANEL_INPUTS}, rules=STRATA)
    assert np.array_equal(again.token_ids, panel.token_ids)


def test_digests_are_those_of_the_files(tmp_path):
    inputs = inputs_in(tmp_path)
    assert panel_digests(inputs) == {name: file_sha256(inputs[name]) for name in PANEL_INPUTS}


def test_a_checkpoint_without_a_tokenizer_is_noted(tmp_path):
    look = tokenizer_check(inputs_in(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/config.json").write_text(json.dumps({"model_type": "gpt_neox", "vocab_size": VOCAB}))
    found = look(tmp_path / "weights", SimpleNamespace(model="m", step=8))
    assert found["tokenizer"].startswith("none: tokenizer.json is not there")


def test_options_of_a_panel_are_about_its_own_strata():
    options = {"strata": ["rare", "elsewhere"], "contexts": "all", "seed": 3}
    assert own_strata(options, STRATA) == {"strata": ("rare",), "contexts": None, "seed": 3}
    assert own_strata({**options, "contexts": 24}, STRATA)["contexts"] == 24
    assert params_on(STRATA, options) == {**options, "strata_of_panel": STRATA}
    assert (batch_size_of({"batch_size": "auto"}), batch_size_of({"batch_size": 8})) == (None, 8)
