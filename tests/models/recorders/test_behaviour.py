"""Behaviour against the plain definitions on the whole output distribution."""

import dataclasses

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.models.readout import Norm, Readout
from rare_neurons.models.recorders.behaviour import QUANTITIES, BehaviourRows
from tests.models.tiny import EXACT, random_model, random_panel


def test_behaviour_against_the_models_own_logits():
    model, panel = random_model("gpt_neox-parallel"), random_panel()
    result = probe_model(model, panel, EXACT)
    with torch.no_grad():
        log_p = torch.log_softmax(model(input_ids=torch.from_numpy(panel.token_ids)).logits, -1)
    at = panel.context, panel.position
    np.testing.assert_allclose(result.behaviour["loss"], -log_p[(*at, panel.target_id)].numpy(), atol=1e-12)
    rows, log_q = log_p[at].numpy(), panel.log_unigram
    inside = panel.vocab_stratum == panel.vocab_stratum[panel.target_id][:, None]
    log_mass = np.log((np.exp(rows) * inside).sum(-1))
    np.testing.assert_allclose(
        result.behaviour["loss_within"], log_mass - log_p[(*at, panel.target_id)].numpy(), atol=1e-12
    )
    np.testing.assert_allclose(result.behaviour["entropy"], -(np.exp(rows) * rows).sum(-1), atol=1e-12)
    model_to_unigram = (np.exp(rows) * (rows - log_q)).sum(-1)
    np.testing.assert_allclose(result.behaviour["kl_model_to_unigram"], model_to_unigram, atol=1e-12)
    unigram_to_model = (np.exp(log_q) * (log_q - rows)).sum(-1)
    np.testing.assert_allclose(result.behaviour["kl_unigram_to_model"], unigram_to_model, atol=1e-12)


def test_where_inputs_decide_the_stratum_the_loss_is_within_the_targets_own_class():
    """Ids without a stratum are a class too, so that a target among them has a loss within it."""
    model, panel = random_model("gpt2"), random_panel()
    labels = np.where(panel.vocab_stratum == 2, -1, panel.vocab_stratum)  # the rare ones are not named
    input_id = panel.token_ids[panel.context, panel.position]
    named = labels[input_id] >= 0
    of_target = ("context", "position", "target_id", "document", "type_bin")
    by_input = dataclasses.replace(
        panel,
        **{name: getattr(panel, name)[named] for name in of_target},
        stratum=labels[input_id[named]],
        strata=("common", "mid"),
        vocab_stratum=labels,
    )
    found = probe_model(model, by_input, EXACT).behaviour["loss_within"]
    with torch.no_grad():
        log_p = torch.log_softmax(model(input_ids=torch.from_numpy(panel.token_ids)).logits, -1)
    rows = log_p[by_input.context, by_input.position].numpy()
    own = labels[by_input.target_id]
    expected = (
        np.log((np.exp(rows) * (labels == own[:, None])).sum(-1)) - rows[np.arange(len(rows)), by_input.target_id]
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (own < 0).any()


def one_block(A: torch.Tensor, log_unigram: np.ndarray):
    """A block of two positions, read out without a norm, and the log probabilities of its outputs."""
    vocabulary = sort_vocabulary(np.zeros(len(A), dtype=int), n_strata=1, n_vocab=len(A))
    readout = Readout(Norm("none", 0.0), A, torch.zeros(len(A), dtype=torch.float64), False)
    residual = torch.eye(2, dtype=torch.float64)
    unigram = make_unigram(log_unigram, vocabulary, torch.device("cpu"))
    tokens = read_tokens(readout, vocabulary, unigram, residual=residual, target=torch.tensor([0, 1]), own_class=0)
    return tokens, torch.log_softmax(residual @ A.T, -1).numpy()


def test_a_flat_output_has_the_entropy_of_the_vocabulary_and_is_no_further_from_a_flat_unigram():
    tokens, _ = one_block(torch.zeros(8, 2, dtype=torch.float64), np.full(8, -np.log(8)))
    expected = {
        "loss": np.log(8),
        "loss_within": np.log(8),
        "entropy": np.log(8),
        "kl_model_to_unigram": 0.0,
        "kl_unigram_to_model": 0.0,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(QUANTITIES[name](tokens).numpy(), value, atol=1e-14, err_msg=name)


def test_divergences_are_conditioned_on_the_ids_that_the_unigram_has():
    A = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    q = np.array([0.5, 0.25, 0.25])
    tokens, log_p = one_block(A, np.append(np.log(q), [-np.inf, -np.inf, -np.inf]))
    p = np.exp(log_p[:, :3]) / np.exp(log_p[:, :3]).sum(-1, keepdims=True)
    found = {name: quantity(tokens).numpy() for name, quantity in QUANTITIES.items()}
    np.testing.assert_allclose(found["kl_model_to_unigram"], (p * np.log(p / q)).sum(-1), atol=1e-14)
    np.testing.assert_allclose(found["kl_unigram_to_model"], (q * np.log(q / p)).sum(-1), atol=1e-14)


def test_a_new_quantity_needs_no_other_edit(monkeypatch):
    """A quantity that reads every logit, declared nowhere but among the others."""

    def top1_accuracy(tokens):
        return ((tokens.z * tokens.scale + tokens.bias).argmax(-1) == tokens.target).double()

    monkeypatch.setitem(QUANTITIES, "top1_accuracy", top1_accuracy)
    model, panel = random_model("gpt2"), random_panel()
    found = probe_model(model, panel, EXACT).behaviour["top1_accuracy"]
    with torch.no_grad():
        best = model(input_ids=torch.from_numpy(panel.token_ids)).logits.argmax(-1).numpy()
    expected = best[panel.context, panel.position] == panel.target_id
    np.testing.assert_array_equal(found, expected)
    assert 0 < expected.sum() < len(expected)


@pytest.mark.parametrize("filled", [[0, 2], [1]])
def test_rows_never_filled_stay_unknown(filled):
    tokens, _ = one_block(torch.zeros(8, 2, dtype=torch.float64), np.full(8, -np.log(8)))
    recorder = BehaviourRows(3)
    recorder.add(np.array(filled * 2)[:2], 0, tokens, torch.eye(2))
    assert [k for k, value in enumerate(recorder.finish()["loss"]) if np.isfinite(value)] == filled
