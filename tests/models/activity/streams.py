"""Targets of one stratum of the tiny panel, ready for ablation."""

import numpy as np
import torch

from rare_neurons.models.activity.set_effects import TargetStream
from rare_neurons.models.forward import Captured, run_panel
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.panel_arrays import sort_vocabulary
from rare_neurons.models.readout import final_block, read_out
from tests.models.tiny import VOCAB


def capture(model, panel) -> Captured:
    at = {"context": torch.from_numpy(panel.context), "position": torch.from_numpy(panel.position)}
    return run_panel(model, torch.from_numpy(panel.token_ids), **at, min_position=panel.min_position, batch_size=4)


def stream_of(model, panel, captured: Captured, rows: np.ndarray, stratum: int) -> TargetStream:
    vocabulary = sort_vocabulary(panel.vocab_stratum, n_strata=3, n_vocab=VOCAB)
    unigram = make_unigram(panel.log_unigram, vocabulary, torch.device("cpu"))
    return TargetStream(
        readout=read_out(model, vocab_order=vocabulary.order, centre_weights=unigram.q),
        block=final_block(model),
        activations=captured.activations[rows],
        residual=captured.residual[rows],
        mlp_output=None if captured.mlp_output is None else captured.mlp_output[rows],
        target=vocabulary.column[torch.from_numpy(panel.target_id[rows])],
        own=vocabulary.slices[stratum],
    )
