"""Stage `layers`: every neuron of every layer, every head and every sublayer of checkpoints."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import torch

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
from rare_neurons.models.layers.measure import LayerOptions, measure_layers
from rare_neurons.models.loading import check_length, load_model
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    CheckpointJob,
    Workplace,
    files_of,
    place_of,
    run_checkpoint_job,
)
from rare_neurons.stages.on_panel import panel_digests, panel_of, tokenizer_check
from rare_neurons.tables import from_columns

OUTPUTS = ("layer_influence", "layer_audit", "heads")
DTYPE = "float32"
"""Second order is a small difference of gradients: half of the digits of bfloat16 would be rounding."""


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
    asked = own_strata(options, rules)
    at_once = batch_size_of(machine)
    heads = HeadOptions(strata=asked["strata"], contexts=asked["contexts"], batch_size=at_once)

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        model = load_model(folder, dtype=getattr(torch, DTYPE), device=str(machine["device"]))
        check_length(model, arrays.token_ids.shape[1])
        found = measure_layers(model, arrays, LayerOptions(**asked, batch_size=at_once))
        columns = {"layer_influence": found.influence, "layer_audit": found.audit}
        columns["heads"] = measure_heads(model, arrays, heads)
        return {name: from_columns(name, place_of(checkpoint, panel), columns[name]) for name in OUTPUTS}

    params = {**options, "strata_of_panel": plain(rules)}
    job = CheckpointJob(
        "layers",
        params=dict.fromkeys(OUTPUTS, params),
        about={"dtype": DTYPE, "device": machine["device"]},
        look=tokenizer_check(inputs),
    )
    run_checkpoint_job(job, files_of(manifests, outputs, panel_digests(inputs)), measure, place=place)


def own_strata(options: Mapping[str, object], rules: Mapping[str, object]) -> dict[str, object]:
    """Options with the strata that this panel has, and the number of contexts, None for all."""
    strata = tuple(name for name in options["strata"] if name in rules)
    contexts = None if options["contexts"] == "all" else int(options["contexts"])
    return {**options, "strata": strata, "contexts": contexts}


def batch_size_of(machine: Mapping[str, object]) -> int | None:
    """Contexts at once, None where the memory decides."""
    return None if machine["batch_size"] == "auto" else int(machine["batch_size"])


def plain(rules: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Strata as they stand in metadata."""
    return {name: dict(rule) for name, rule in rules.items()}
