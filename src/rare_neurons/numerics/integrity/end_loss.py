"""A last checkpoint whose loss is above that of the unigram distribution: kept, and said."""

from dataclasses import replace

from rare_neurons.numerics.integrity.judge import CheckpointVerdict

# Of the unigram's loss. Models that learned token frequencies alone end up to 0.2 % above it on other text.
_MARGIN = 0.01


def warn_above_unigram(last: CheckpointVerdict, loss: float | None, unigram_loss: float | None) -> CheckpointVerdict:
    """Say of a last checkpoint that is well if its loss is above the unigram's by more than a hundredth.

    Such a model has learned less than how often tokens are: another tokenizer, text or precision than its own may be
    the cause. It is kept, as an untrained model may be what is studied.

    Parameters
    ----------
    last : CheckpointVerdict
        Of the last checkpoint.
    loss, unigram_loss : float or None
        Of the model and of the unigram distribution at the same targets, in nats; None where unknown.
    """
    if loss is None or unigram_loss is None or last.status != "ok" or loss <= (1 + _MARGIN) * unigram_loss:
        return last
    reason = (
        f"loss {loss:.2f} nats at the last step, but token frequencies alone reach {unigram_loss:.2f}: check that "
        "tokenizer, text and dtype are the model's own"
    )
    return replace(last, status="above_unigram", reason=reason)
