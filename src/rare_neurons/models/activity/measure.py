"""All that an activity pass says of one checkpoint on a panel: one table after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.families import family_of
from rare_neurons.models.activity.head_rows import Redirected
from rare_neurons.models.activity.options import ActivityOptions, Probed
from rare_neurons.models.activity.readout_effects import frequency_direction, measure_readout, unembedding_rows
from rare_neurons.models.activity.scene import Scene, mlp_matrix, set_scene
from rare_neurons.models.activity.set_effects import TargetStream
from rare_neurons.models.activity.set_rows import (
    choose_sets,
    example_rows,
    mean_ablation_of_singles,
    organisation_rows,
    overlap_rows,
    set_rows,
)
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.kinds.census import KindRow, LayerWeights, take_census
from rare_neurons.numerics.kinds.readout_weights import entropy_candidates, read_weights
from rare_neurons.numerics.kinds.rows import ReadoutRow

__all__ = ["TABLES", "ActivityOptions", "Probed", "measure_activity"]

TABLES = ("organisation", "sets", "overlap", "routing", "kinds", "readout", "examples")


def measure_activity(
    model: PreTrainedModel, panel: PanelArrays, probed: Probed, options: ActivityOptions
) -> dict[str, list[object]]:
    """Measure the organisation of a checkpoint's sets, and the kinds of all its neurons.

    Parameters
    ----------
    model : PreTrainedModel
        Left as it was.
    panel : PanelArrays
    probed : Probed
        Of the same checkpoint and panel: it chooses the sets, by cells that nothing here looks at.
    options : ActivityOptions

    Returns
    -------
    dict
        Rows of each of `TABLES`.

    Raises
    ------
    RequestError
        If the panel was made for another tokenizer, or a stratum has no target in the contexts of the pass.
    """
    scene = set_scene(model, panel, probed, options)
    tables: dict[str, list[object]] = {name: [] for name in TABLES}
    heads = Redirected(scene)
    streams = {stratum: scene.stream_of(stratum) for stratum in options.strata}
    chosen = list(choose_sets(scene))
    for stratum, stream in streams.items():
        sets = [one for one in chosen if one.stratum == stratum]
        if sets:
            tables["organisation"] += organisation_rows(scene, sets)
        single = mean_ablation_of_singles(scene, stream)
        for one in sets:
            tables["sets"] += set_rows(scene, one, stream, single)
            tables["examples"] += example_rows(scene, one, stream)
            if one.sign == "all":
                tables["routing"] += heads.rows(one)
    tables["overlap"] += overlap_rows(scene)
    tables["kinds"] += kind_rows(scene)
    tables["readout"] += readout_rows(scene, streams)
    return tables


def kind_rows(scene: Scene) -> Iterator[KindRow]:
    """Yield the kind of every neuron of every layer."""
    config = scene.model.config.to_dict()
    unembedding = unembedding_rows(scene.model)
    embedding = scene.model.get_input_embeddings().weight.detach().double().cpu().numpy()
    for layer, counts in enumerate(scene.run.counts):
        weights = LayerWeights(
            mlp_matrix(scene.model, layer, "W_out"),
            unembedding,
            embedding,
            norm_centres=scene.readout.norm.kind == "layer_norm",
            sees_current_token_alone=layer == 0 and family_of(config).parallel(config),
        )
        yield from take_census(layer, counts, scene.run.text, weights)


def readout_rows(scene: Scene, streams: dict[str, TargetStream]) -> Iterator[ReadoutRow]:
    """Yield what every final-layer neuron does along the log unigram, and candidates to the entropy."""
    W_out = scene.block.W_out.numpy()
    weights = read_weights(W_out, unembedding_rows(scene.model), norm_centres=scene.readout.norm.kind == "layer_norm")
    candidates = entropy_candidates(weights, scene.options.candidates)
    direction = frequency_direction(scene.unigram)
    mean = torch.from_numpy(scene.probed.activation_mean)
    for stratum, stream in streams.items():
        found = measure_readout(stream, mean - stream.activations, direction, candidates=candidates)
        of_candidates = (found.frequency_frozen_influence, found.entropy_change, found.abs_entropy_change)
        evaluated = dict(zip(candidates.tolist(), np.stack(of_candidates, axis=1).tolist(), strict=True))
        for neuron in range(len(W_out)):
            frozen, change, absolute = evaluated.get(neuron, (None, None, None))
            yield ReadoutRow(
                neuron=neuron,
                stratum=stratum,
                n_targets=len(stream.target),
                w_out_norm=float(weights.norm[neuron]),
                logit_variance=float(weights.logit_variance[neuron]),
                null_share=float(weights.null_share[neuron]),
                null_chance=weights.null_chance,
                frequency_influence=float(found.frequency_influence[neuron]),
                frequency_frozen_influence=frozen,
                entropy_change=change,
                abs_entropy_change=absolute,
            )
