"""Sentences of a tree with accounts, and none where nothing was asked for."""

from dataclasses import fields

from rare_neurons.numerics.layers.evidence import LayerEvidenceRow
from rare_neurons.stages.summary_layers import account_sentences, layer_sentences
from tests.figures.tree import RUNS, STEPS, write_tree
from tests.numerics.wording.test_layers import SHARE
from tests.stages.tables import put


def test_an_account_is_that_of_the_last_interval_and_the_mean_of_the_runs(tmp_path):
    results = str(write_tree(tmp_path))
    sentences = account_sentences(results, RUNS)
    assert len(sentences) == 2
    assert f"common tokens, step {STEPS[-2]} to {STEPS[-1]}: +0.50 nats (mean of two runs)" in sentences[0]
    assert "neurons of layer 1 +0.25" in sentences[0]
    assert sentences[0].endswith("left over +0.00.")
    assert account_sentences(results, ["elsewhere"]) == []


def test_layers_are_told_where_they_were_judged(tmp_path):
    assert layer_sentences(str(tmp_path), "s") == []
    row = {field.name: getattr(SHARE, field.name) for field in fields(LayerEvidenceRow)}
    put(tmp_path, "timelines/layer_evidence", {"subject": "s"}, [{"panel": "p", **row}])
    (said,) = layer_sentences(str(tmp_path), "s")
    assert "the last layer's share" in said
