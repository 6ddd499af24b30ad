"""Random final layers, and both engines side by side on one block of positions."""

from dataclasses import replace

import numpy as np
import torch

from rare_neurons.models.influence.budget import Budget
from rare_neurons.models.influence.certified import measure_certified
from rare_neurons.models.influence.directions import prepare_directions, project_classes
from rare_neurons.models.influence.exact import measure_exactly
from rare_neurons.models.influence.inputs import EngineSettings
from rare_neurons.models.influence.moments import MomentVisitor
from rare_neurons.models.influence.scratch import CACHE
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Norm, Readout, measure_ablation

CERTIFIED = EngineSettings(engine="certified", tolerance=1e-7, tolerance_se=0.1, memory_gb=2.0)
EXACT = replace(CERTIFIED, engine="exact")


def random_layer(seed, n_vocab, d_model, n_neurons, peak, strength, kind, bias):
    """A readout with sharp (large `peak`) to flat outputs, and neurons from zero to huge, two of them equal."""
    g = torch.Generator().manual_seed(seed)
    A = peak * torch.randn(n_vocab, d_model, generator=g, dtype=torch.float64)
    b = bias * torch.randn(n_vocab, generator=g, dtype=torch.float64)
    W = strength * torch.randn(n_neurons, d_model, generator=g, dtype=torch.float64)
    W *= torch.exp(2 * torch.randn(n_neurons, 1, generator=g, dtype=torch.float64))
    W[0], W[1] = 0.0, W[-1]
    readout = Readout(Norm(kind, 1e-5), A, b, bool(bias))
    residual = torch.randn(6, d_model, generator=g, dtype=torch.float64)
    delta = torch.randn(6, n_neurons, generator=g, dtype=torch.float64)
    return readout, FinalBlock(W, None, None), residual, delta, torch.randint(n_vocab, (6,), generator=g)


def both_engines(
    layer,
    n_classes,
    dtype,
    tolerance,
    gradient_dtype=torch.float64,
    *,
    chunks=CACHE,
    mostly_wide=False,
    enclosure_dtype=torch.float64,
):
    readout, block, residual, delta, target = layer
    labels = np.arange(len(readout.A)) * n_classes // len(readout.A)
    vocabulary = sort_vocabulary(labels, n_strata=n_classes, n_vocab=len(readout.A))
    unigram = make_unigram(np.full(len(labels), -np.log(len(labels))), vocabulary, readout.A.device)
    own_class = int(labels[target[0]])
    own = vocabulary.slices[own_class]
    target = target % (own.stop - own.start) + own.start
    W = readout.norm.centre(block.W_out)
    directions = prepare_directions(readout, W, vocabulary.slices, dtype)
    visitor = MomentVisitor(directions, gradient_dtype, chunks, enclosure_dtype=enclosure_dtype)
    ablation = measure_ablation(readout.norm, block, residual=residual, delta=delta, mlp_output=None)
    tokens = read_tokens(
        readout, vocabulary, unigram, residual=residual, target=target, own_class=own_class, visitor=visitor
    )
    place = {"U_y": readout.A[target] @ W.T, "own": own}
    budget = Budget(
        n_positions=len(target), n_neurons=len(W), tolerance=tolerance, tolerance_se=0.0, device=readout.A.device
    )
    budget.mostly_wide = mostly_wide
    moments = visitor.finish(tokens, project_classes(tokens, W))
    certified = measure_certified(tokens, ablation, visitor, moments, budget=budget, **place)
    return measure_exactly(tokens, ablation, U=W @ readout.A.T, **place), certified
