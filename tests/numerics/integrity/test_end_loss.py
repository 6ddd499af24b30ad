"""A last loss above the unigram's is said, and the checkpoint kept."""

import pytest

from rare_neurons.numerics.integrity.end_loss import warn_above_unigram
from rare_neurons.numerics.integrity.judge import CheckpointVerdict


def verdict(status="ok"):
    unknown = dict.fromkeys(("detour", "chord", "tensor_excess", "odd_tensor", "end_distance", "start_z", "canary_z"))
    away = {"distance_to_start": 3.0, "distance_to_previous": 1.0}
    return CheckpointVerdict(step=9, status=status, reason=None, quarantined=status != "ok", **away, **unknown)


def test_a_loss_above_the_unigrams_is_said_and_the_checkpoint_kept():
    found = warn_above_unigram(verdict(), 7.5, 7.2)
    assert (found.status, found.quarantined) == ("above_unigram", False)
    assert found.reason == (
        "loss 7.50 nats at the last step, but token frequencies alone reach 7.20: check that tokenizer, text and dtype "
        "are the model's own"
    )


@pytest.mark.parametrize(("loss", "unigram"), [(7.25, 7.2), (4.0, 7.2), (None, 7.2), (7.5, None)])
def test_frequencies_learned_alone_and_unknown_losses_are_not_said(loss, unigram):
    """Controls on shuffled text end 0.2 % above the unigram's loss."""
    assert warn_above_unigram(verdict(), loss, unigram) == verdict()


def test_what_is_quarantined_already_keeps_its_reason():
    assert warn_above_unigram(verdict("detour"), 9.0, 7.2) == verdict("detour")
