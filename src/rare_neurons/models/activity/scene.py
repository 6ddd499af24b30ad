"""One checkpoint on one panel, ready for whatever is said of its sets: the pass, the weights and the readout."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of
from rare_neurons.models.activity.activity_pass import ActivityRun, run_activity
from rare_neurons.models.activity.heads import FinalMlp, Places, keeping_final_mlp
from rare_neurons.models.activity.options import ActivityOptions, Probed
from rare_neurons.models.activity.reading import Rows, choose_contexts, choose_rows, choose_targets
from rare_neurons.models.activity.set_effects import TargetStream
from rare_neurons.models.influence.tokens import Unigram, make_unigram
from rare_neurons.models.panel_arrays import PanelArrays, SortedVocabulary, sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Readout, final_block, read_out
from rare_neurons.numerics.organisation.matching import neuron_covariates

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """What all measurements of one checkpoint share.

    Attributes
    ----------
    model : PreTrainedModel
    panel : PanelArrays
    probed : Probed
    options : ActivityOptions
    contexts : int array
        Of the pass.
    rows : Rows
        Of activations that are correlated: the first of the pass's rows.
    targets : int array
        Of the panel, on which sets are ablated: the rows that follow.
    run : ActivityRun
    places : Places
        The same rows, in the numbers of the pass's contexts.
    final_mlp : FinalMlp or None
        What the closed form of redirected heads needs; None where none are asked for, or it has none.
    covariates : array [neuron, 5]
        What sets are matched by.
    readout, block, vocabulary, unigram
        From the final block's output on.
    """

    model: PreTrainedModel
    panel: PanelArrays
    probed: Probed
    options: ActivityOptions
    contexts: NDArray[np.int64]
    rows: Rows
    targets: NDArray[np.int64]
    run: ActivityRun
    places: Places
    final_mlp: FinalMlp | None
    covariates: Array
    readout: Readout
    block: FinalBlock
    vocabulary: SortedVocabulary
    unigram: Unigram

    @property
    def last(self) -> int:
        """Number of the final layer."""
        return int(self.model.config.num_hidden_layers) - 1

    @property
    def strength(self) -> Array:
        """|w_out|·sd(activation) of each neuron."""
        return self.covariates[:, 3]

    def activations(self, rows: NDArray[np.int64]) -> Array:
        """Final-layer activations at some of `rows`."""
        return self.run.captured.activations[torch.from_numpy(rows)].double().numpy()

    def targets_of(self, stratum: str) -> NDArray[np.int64]:
        """Places in `targets` of one stratum.

        Raises
        ------
        RequestError
            If it has none in the contexts of the pass.
        """
        found = np.flatnonzero(self.panel.stratum[self.targets] == self.panel.strata.index(stratum))
        if not len(found):
            raise RequestError(
                f"activity: stratum {stratum!r} has no target of part B in {len(self.contexts)} contexts; raise "
                "activity.context_share"
            )
        return found

    def stream_of(self, stratum: str) -> TargetStream:
        """Targets of one stratum, ready for ablation."""
        places = self.targets_of(stratum)
        at = torch.from_numpy(len(self.rows.context) + places)
        captured = self.run.captured
        return TargetStream(
            readout=self.readout,
            block=self.block,
            activations=captured.activations[at].double(),
            residual=captured.residual[at],
            mlp_output=None if captured.mlp_output is None else captured.mlp_output[at],
            target=self.vocabulary.column[torch.from_numpy(self.panel.target_id[self.targets[places]])],
            own=self.vocabulary.slices[self.panel.strata.index(stratum)],
        )


def mlp_matrix(model: PreTrainedModel, layer: int, name: str) -> Array:
    """Return ``W_in`` or ``W_out`` of one layer's MLP, float64 `[neuron, d_model]`."""
    family = family_of(model.config.to_dict())
    weight = model.get_submodule(family.block_module(layer, name)).weight.detach()
    return (weight.T if family.layer[name].transpose else weight).double().cpu().numpy()


def set_scene(model: PreTrainedModel, panel: PanelArrays, probed: Probed, options: ActivityOptions) -> Scene:
    """Run the contexts once, and read what all measurements need of the weights.

    Raises
    ------
    RequestError
        If the panel was made for another tokenizer.
    """
    contexts = choose_contexts(panel.fold, options.context_share)
    rows = choose_rows(panel, contexts, most=options.rows)
    targets = choose_targets(panel, contexts, most=options.targets)
    at = (
        np.concatenate([rows.context, panel.context[targets]]),
        np.concatenate([rows.position, panel.position[targets]]),
    )
    places = _places_of(panel, contexts, rows)
    # The closed form multiplies kept inputs, which lie in host memory, with the model's weights.
    closed = options.heads != "none" and model.device.type == "cpu"
    with keeping_final_mlp(model, places) if closed else nullcontext(lambda: None) as final_mlp:
        run = run_activity(model, panel, contexts, at=at, batch_size=options.batch_size, seed=options.seed)
    n_vocab = len(model.get_output_embeddings().weight)
    vocabulary = sort_vocabulary(panel.vocab_stratum, n_strata=len(panel.strata), n_vocab=n_vocab)
    unigram = make_unigram(panel.log_unigram, vocabulary, torch.device("cpu"))
    last = int(model.config.num_hidden_layers) - 1
    W_in, W_out = (mlp_matrix(model, last, name) for name in ("W_in", "W_out"))
    active = run.counts[-1].n_active.sum(axis=0)
    return Scene(
        model=model,
        panel=panel,
        probed=probed,
        options=options,
        contexts=contexts,
        rows=rows,
        targets=targets,
        run=run,
        places=places,
        final_mlp=final_mlp(),
        covariates=neuron_covariates(W_in, W_out, probed.activation_variance, active=active),
        readout=_readout_here(model, vocabulary, unigram),
        block=_block_here(model),
        vocabulary=vocabulary,
        unigram=unigram,
    )


def _places_of(panel: PanelArrays, contexts: NDArray[np.int64], rows: Rows) -> Places:
    return Places(
        torch.from_numpy(np.ascontiguousarray(panel.token_ids[contexts])),
        torch.from_numpy(np.searchsorted(contexts, rows.context)),
        torch.from_numpy(rows.position.astype(np.int64)),
    )


def _readout_here(model: PreTrainedModel, vocabulary: SortedVocabulary, unigram: Unigram) -> Readout:
    """Put it where the captured activations are: in host memory."""
    found = read_out(model, vocab_order=vocabulary.order, centre_weights=unigram.q)
    return replace(found, A=found.A.cpu(), b=found.b.cpu())


def _block_here(model: PreTrainedModel) -> FinalBlock:
    found = final_block(model)
    weight = None if found.post_weight is None else found.post_weight.cpu()
    return replace(found, W_out=found.W_out.cpu(), post_weight=weight)
