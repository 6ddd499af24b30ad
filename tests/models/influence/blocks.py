"""A block of positions of a random final layer, and the same read out plainly."""

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.influence.directions import Directions, prepare_directions
from rare_neurons.models.influence.moments import MomentVisitor
from rare_neurons.models.influence.tokens import TokenBlock, Unigram, make_unigram
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.panel_arrays import SortedVocabulary, sort_vocabulary
from rare_neurons.models.readout import Ablation, Readout, measure_ablation
from tests.models.influence.layers import random_layer


@dataclass(frozen=True)
class Block:
    """Three classes of columns, the targets in the second; `p`, `z` `[pos, vocab]` by the plain softmax."""

    readout: Readout
    vocabulary: SortedVocabulary
    unigram: Unigram
    W: torch.Tensor
    directions: Directions
    visitor: MomentVisitor
    ablation: Ablation
    tokens: TokenBlock
    p: torch.Tensor
    z: torch.Tensor
    own_class: int = 1

    @property
    def own(self) -> slice:
        return self.vocabulary.slices[self.own_class]

    def groups(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns of the own class and of the rest."""
        inside = torch.zeros(len(self.readout.A), dtype=torch.bool)
        inside[self.own] = True
        return inside.nonzero()[:, 0], (~inside).nonzero()[:, 0]


def random_block(
    *,
    kind="layer_norm",
    peak=0.5,
    strength=0.05,
    n_vocab=90,
    n_neurons=7,
    product_dtype=torch.float32,
    gradient_dtype=torch.float64,
) -> Block:
    readout, final, residual, delta, target = random_layer(11, n_vocab, 10, n_neurons, peak, strength, kind, 1.0)
    vocabulary = sort_vocabulary(np.arange(n_vocab) * 3 // n_vocab, n_strata=3, n_vocab=n_vocab)
    own = vocabulary.slices[1]
    target = target % (own.stop - own.start) + own.start
    log_q = np.log(np.linspace(1, 3, n_vocab))
    log_q[-4:] = -np.inf
    unigram = make_unigram(log_q, vocabulary, torch.device("cpu"))
    W = readout.norm.centre(final.W_out)
    directions = prepare_directions(readout, W, vocabulary.slices, product_dtype)
    visitor = MomentVisitor(directions, gradient_dtype)
    tokens = read_tokens(readout, vocabulary, unigram, residual=residual, target=target, own_class=1, visitor=visitor)
    c = residual - residual.mean(-1, keepdim=True) if kind == "layer_norm" else residual
    scale = 1.0 if kind == "none" else 1 / torch.sqrt((c**2).mean(-1, keepdim=True) + readout.norm.eps)
    z = c @ readout.A.T
    ablation = measure_ablation(readout.norm, final, residual=residual, delta=delta, mlp_output=None)
    p = torch.softmax(z * scale + readout.b, -1)
    return Block(readout, vocabulary, unigram, W, directions, visitor, ablation, tokens, p, z)
