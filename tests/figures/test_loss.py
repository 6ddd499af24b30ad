from rare_neurons.figures.loss import plot_loss
from tests.figures.tree import MODELS, STEPS, loss


def test_loss_of_every_model_and_stratum_is_drawn(results):
    (axis,) = plot_loss(results).axes
    drawn = {tuple(line.get_ydata()) for line in axis.lines if len(line.get_ydata()) == len(STEPS)}
    whole = [m for m in MODELS if m != "a-seed1"]
    assert drawn == {tuple(loss(m, step, s) for step in STEPS) for m in whole for s in ("common", "rare")}
    assert axis.get_ylabel() == "loss (nats per token)"
