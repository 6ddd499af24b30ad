"""How a pass is cut: blocks of positions, slabs of neurons and dtypes, from a memory budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.moments import GRADIENT_SUM_32
from rare_neurons.models.influence.rounding import ENCLOSURE_32
from rare_neurons.models.influence.scratch import CACHE, Chunks, chunks_for
from rare_neurons.models.memory import usable_bytes
from rare_neurons.numerics.grid.folds import N_FOLDS

MAX_POSITIONS, MIN_POSITIONS, MIN_NEURONS = 512, 32, 512
BFLOAT16_FROM = 2**20  # elements of U² from which the faster, coarser product is worth its rounding
FLOAT32_GRADIENT_FROM = 2**24  # the same for Σ p A in float32 blocks

# Where chunks are as large as a block, what is made on the way counts too: six float32 arrays of an exact pair's terms,
# and sixteen float64 ones of an enclosure's.
_EXACT_BYTES, _ENCLOSURE_BYTES = 6 * 4, 16 * 8


@dataclass(frozen=True)
class Plan:
    """Positions per block, neurons per slab, dtypes of the product with U², of Σ p A and of enclosures, chunks."""

    positions: int
    neurons: int
    product_dtype: torch.dtype
    gradient_dtype: torch.dtype
    chunks: Chunks = CACHE
    enclosure_dtype: torch.dtype = torch.float64


def make_plan(inputs: PassInputs, settings: EngineSettings) -> Plan:
    """Take all neurons at once if 128 positions fit beside them, else slabs, each of which repeats the logits.

    Raises
    ------
    RequestError
        If the memory does not hold the fewest neurons of a slab beside the vocabulary.
    """
    n_vocab, d_model = inputs.readout.A.shape
    n_neurons = len(inputs.block.W_out)
    dtype = _product_dtype(inputs.readout.A.device, n_vocab * n_neurons)
    device, chunks = inputs.readout.A.device, chunks_for(inputs.readout.A.device, n_neurons)
    per_neuron, per_position, per_pair = _bytes(inputs, settings, dtype, chunks)
    memory = usable_bytes(device) if settings.memory_gb is None else settings.memory_gb * 1e9
    per_entry = 12 if inputs.takes_moments(settings) else 8  # A in float64, and in float32 beside it
    free = memory - per_entry * n_vocab * d_model - 32 * chunks.columns * n_neurons
    if chunks.parallel:
        free -= _EXACT_BYTES * chunks.elements
        per_pair += _ENCLOSURE_BYTES
    fewest = min(n_neurons, MIN_NEURONS)
    sizes = (MAX_POSITIONS, MAX_POSITIONS // 2, MAX_POSITIONS // 4)
    for positions, wanted in [(n, n_neurons) for n in sizes] + [(n, fewest) for n in (*sizes, MIN_POSITIONS)]:
        neurons = int((free - positions * per_position) / (per_neuron + per_pair * positions))
        if neurons >= wanted:
            gradient = _gradient_dtype(inputs, n_vocab * n_neurons, settings.tolerance_se)
            enclosure = _enclosure_dtype(inputs, settings.tolerance_se)
            return Plan(positions, min(neurons, n_neurons), dtype, gradient, chunks, enclosure)
    raise RequestError(
        f"memory_gb={memory / 1e9:g} holds {max(neurons, 0)} neurons of {n_neurons} beside a vocabulary of "
        f"{n_vocab} x {d_model} float64; at least {fewest} are needed: raise it"
    )


def _bytes(
    inputs: PassInputs, settings: EngineSettings, product_dtype: torch.dtype, chunks: Chunks
) -> tuple[int, int, int]:
    """Bytes per neuron, per position of a block, and per pair of both."""
    n_vocab, d_model = inputs.readout.A.shape
    n_classes = len(inputs.vocabulary.slices)
    panel, strata = inputs.panel, range(len(inputs.panel.strata))
    kept = sum(len(np.unique(label[panel.stratum == s])) for s in strata for label in (panel.document, panel.target_id))
    draws = settings.placebo_draws
    cells = len(strata) * N_FOLDS**2
    per_column = 4 + product_dtype.itemsize if inputs.takes_moments(settings) else 8
    # influence and its within part by document, type and cell; of a placebo the within part by cell
    per_neuron = n_vocab * per_column + 8 * (2 * (kept + cells) + draws * cells)
    per_position = 8 * (2 * n_vocab + 10 * chunks.columns + (n_classes + 8) * d_model)
    return per_neuron, per_position, 8 * (24 + n_classes + 6 * draws)


def _product_dtype(device: torch.device, elements: int) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32 and the product is large."""
    if elements < BFLOAT16_FROM:
        return torch.float32
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else torch.float32


def _gradient_dtype(inputs: PassInputs, elements: int, tolerance_se: float) -> torch.dtype:
    """float32 blocks for Σ p A where that pays and their rounding stays within half of the tolerance.

    Their bound is about `GRADIENT_SUM_32 √d_model` of a neuron's typical change, its standard error `1/√n` of it.
    """
    largest = np.bincount(inputs.panel.stratum).max()
    share = GRADIENT_SUM_32 * (inputs.readout.A.shape[1] * largest) ** 0.5
    coarse = elements >= FLOAT32_GRADIENT_FROM and share <= tolerance_se / 2
    return torch.float32 if coarse else torch.float64


def _enclosure_dtype(inputs: PassInputs, tolerance_se: float) -> torch.dtype:
    """float32 for enclosures where their rounding stays within a quarter of the tolerance.

    Their bound is `ENCLOSURE_32` of a pair's largest change of a logit, taken as eight times a neuron's typical one.
    """
    largest = np.bincount(inputs.panel.stratum).max()
    return torch.float32 if 8 * ENCLOSURE_32 * largest**0.5 <= tolerance_se / 4 else torch.float64
