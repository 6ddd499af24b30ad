"""Stage `layers`: every neuron of every layer, every head and every sublayer of checkpoints."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
from rare_neurons.models.layers.measure import LayerOptions, measure_layers
from rare_neurons.models.loading import load_for_gradients
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    Workplace,
    files_of,
    place_of,
    run_checkpoint_job,
)
from rare_neurons.stages.on_panel import (
    batch_size_of,
    job_on_panel,
    own_strata,
    panel_digests,
    panel_of,
    params_on,
)
from rare_neurons.tables import from_columns

OUTPUTS = ("layer_influence", "layer_audit", "heads")


def write_layers(
    outputs: Mapping[str, Sequence[str]],
    inputs: Mapping[str, str],
    *,
    manifests: Sequence[str],
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    options: Mapping[str, object],
    machine: Mapping[str, object],
    place: Workplace,
) -> None:
    """Measure the layers of checkpoints of a model on one panel.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        For each of `OUTPUTS` a path for every checkpoint.
    inputs : mapping
        Paths of contexts, targets, unigram and tokenizer.
    manifests : sequence of str
        One for every checkpoint, in the order of the outputs.
    panel : str
        Its name, a column of every table.
    rules : mapping
        The panel's strata.
    options : mapping
        Section ``layers`` of the configuration, without its steps.
    machine : mapping
        ``device`` and ``batch_size`` of section ``probe``.
    place : Workplace

    Raises
    ------
    RequestError
        If the checkpoint's tokenizer or vocabulary is not the panel's.
    """
    torch.set_num_threads(place.threads)
    arrays = panel_of(inputs, rules)
    network = {"device": str(machine["device"]), "length": arrays.token_ids.shape[1]}
    asked = own_strata(options, rules)
    at_once = batch_size_of(machine)
    heads = HeadOptions(strata=asked["strata"], contexts=asked["contexts"], batch_size=at_once)

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        model = load_for_gradients(folder, **network)
        found = measure_layers(model, arrays, LayerOptions(**asked, batch_size=at_once))
        columns = {"layer_influence": found.influence, "layer_audit": found.audit}
        columns["heads"] = measure_heads(model, arrays, heads)
        return {name: from_columns(name, place_of(checkpoint, panel), columns[name]) for name in OUTPUTS}

    job = job_on_panel("layers", dict.fromkeys(OUTPUTS, params_on(rules, options)), inputs, machine)
    run_checkpoint_job(job, files_of(manifests, outputs, panel_digests(inputs)), measure, place=place)
