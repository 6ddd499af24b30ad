from rare_neurons.figures.loss import plot_loss
from rare_neurons.figures.style import CONTROL as GREY
from tests.figures.tree import CONTROL, RUNS, STEPS, loss


def test_loss_of_every_model_is_drawn_by_stratum_with_bands_and_controls(results):
    axes = plot_loss(results, RUNS[:1], controls=[CONTROL]).axes
    for axis, stratum in zip(axes, ("common", "rare"), strict=True):
        drawn = {
            line.get_color() == GREY: line.get_ydata().tolist() for line in axis.lines if len(line.get_xdata()) > 2
        }
        assert drawn == {
            model == CONTROL: [loss(model, step, stratum) for step in STEPS] for model in (RUNS[0], CONTROL)
        }
        assert sum(len(band.get_paths()) for band in axis.collections) == 2
    assert axes[0].get_ylabel() == "loss (nats per token)"
