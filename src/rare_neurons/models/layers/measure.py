"""The total effect of every MLP neuron of every layer on a panel, with what exact ablation says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.layers.audit import ablate
from rare_neurons.models.layers.batch import PassSettings
from rare_neurons.models.layers.batches import fitting_batches
from rare_neurons.models.layers.blocks import Blocks, full_precision_products
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.estimate import Estimated, estimate, mean_activation
from rare_neurons.models.layers.losses import LossReadout, require_full_precision
from rare_neurons.models.layers.results import LayerResult, Measured, make_columns, shrunk_estimates
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.layers.conformal import fewest_audited
from rare_neurons.numerics.layers.part import choose_audited

__all__ = ["LayerOptions", "LayerResult", "measure_layers"]

Progress = Callable[[str, int, int], None]
_AUDIT = 17  # stream of the seed that orders the neurons of a layer


@dataclass(frozen=True)
class LayerOptions:
    """What is measured, and how.

    Attributes
    ----------
    strata : tuple of str
        Each costs backward passes of its own.
    contexts : int or None
        Contexts of the panel, drawn evenly from the document folds; None: all with targets of these strata.
    n_top, n_random : int
        Neurons of each layer that are ablated exactly: the strongest, and others at random.
    target_draws : int
        Single targets of each stratum and context whose effects are taken to first order, for `rms_influence` and for
        what token types add to sampling errors; 0: none, and the audited neurons say the latter.
    seed : int
    batch_size : int or None
        Contexts at a time; None: as many as fit.
    epsilon : float
        Perturbation of the sign draws, as a part of a neuron's δ.
    sign_draws : int
        At least 2.
    confidence : float
        Of the intervals.
    """

    strata: tuple[str, ...]
    contexts: int | None
    n_top: int
    n_random: int
    target_draws: int
    seed: int
    batch_size: int | None
    epsilon: float = 0.01
    sign_draws: int = 2
    confidence: float = 0.9

    def check(self, n_neurons: int) -> None:
        """Refuse what cannot be measured in layers of so many neurons."""
        least = fewest_audited(self.confidence)
        if self.n_random < least:
            raise RequestError(
                f"layers: n_random={self.n_random}, but intervals of confidence {self.confidence} need {least} neurons"
            )
        if self.n_top + self.n_random > n_neurons:
            raise RequestError(
                f"layers: n_top={self.n_top} and n_random={self.n_random}, but a layer has {n_neurons} neurons"
            )
        if self.sign_draws < 2:
            raise RequestError(f"layers: sign_draws={self.sign_draws}, but their error needs two")


def measure_layers(
    model: PreTrainedModel, panel: PanelArrays, options: LayerOptions, *, progress: Progress | None = None
) -> LayerResult:
    """Measure every MLP neuron of every layer on strata of a panel.

    Parameters
    ----------
    model : PreTrainedModel
        Float32 or float64; left as it was.
    panel : PanelArrays
    options : LayerOptions
    progress : callable, optional
        Called as `progress(what, done, total)`.

    Returns
    -------
    LayerResult

    Raises
    ------
    RequestError
        For an unsupported family, half precision, a panel of another tokenizer, or options that cannot be.
    DataFault
        If activations, gradients or losses are not finite.
    MemoryError
        If not even one context fits the memory.
    """
    require_full_precision(model, "the influence of all layers")
    panel.check()
    blocks = Blocks(model)
    options.check(blocks.n_neurons)
    readout = LossReadout(model, panel.vocab_stratum, n_strata=len(panel.strata))
    sample = draw_sample(panel, options.strata, options.contexts, options.seed)
    batches = fitting_batches(blocks, sample, options.batch_size)
    settings = PassSettings(options.epsilon, options.sign_draws, options.target_draws, options.seed)

    def tick(what: str) -> Callable[[int], None] | None:
        return None if progress is None else lambda done: progress(what, done, len(sample))

    with full_precision_products():
        means = batches.run(lambda size: mean_activation(blocks, sample, batch_size=size, tick=tick("means")))
        place = (blocks, readout, sample, means)
        found = batches.run(lambda size: estimate(*place, settings, batch_size=size, tick=tick("gradients")))
        _require_finite(found)
        shrunk = shrunk_estimates(found.sums, sample.n_targets())
        audited = [_choose(shrunk, layer, options) for layer in range(len(blocks))]
        chosen = [np.concatenate(pair) for pair in audited]
        exact = batches.run(lambda size: ablate(*place, chosen, batch_size=size, tick=tick("ablations")))
    if not all(np.isfinite(one).all() for one in exact):
        raise DataFault("losses with an ablated neuron are not finite on the panel")
    return make_columns(Measured(sample, found, shrunk, audited, exact), confidence=options.confidence)


def _choose(
    shrunk: Mapping[tuple[int, int, int], object], layer: int, options: LayerOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Strongest and random neurons of one layer; the losses take turns."""
    estimates = np.stack([one.estimate for (_, _, k), one in shrunk.items() if k == layer])
    rng = np.random.default_rng([options.seed, _AUDIT, layer])
    return choose_audited(estimates, n_top=options.n_top, n_random=options.n_random, rng=rng)


def _require_finite(found: Estimated) -> None:
    sums = found.sums
    if not all(np.isfinite(one).all() for one in (sums.first, sums.second, sums.gauss_newton)):
        raise DataFault("gradients of the losses with respect to activations are not finite on the panel")
