"""Stage `activity`: organisation of the strongest neurons, routing to them, and kinds of all neurons."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.activity.measure import TABLES, ActivityOptions, Probed, measure_activity
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
    panel_digests,
    panel_of,
    params_on,
    strata_here,
)
from rare_neurons.tables import file_sha256, from_rows, read_metadata, read_table

OUTPUTS = TABLES
SHARDS = ("influence", "activations", "gradients")
"""Of the probe, at the same checkpoint: they choose the sets and say what these are matched by."""

AT_ONCE = 32
"""Contexts at a time where the memory would decide: the pass keeps one layer's activations of so many."""

_INFLUENCES = tuple(f"influence{within}_{part}" for within in ("", "_within") for part in "ab")


def write_activity(
    outputs: Mapping[str, Sequence[str]],
    inputs: Mapping[str, object],
    *,
    manifests: Sequence[str],
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    options: Mapping[str, object],
    machine: Mapping[str, object],
    place: Workplace,
) -> None:
    """Measure organisation and kinds of checkpoints of a model on one panel.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        For each of `OUTPUTS` a path for every checkpoint.
    inputs : mapping
        Paths of contexts, targets, unigram and tokenizer; for each of `SHARDS` a path for every checkpoint.
    manifests : sequence of str
        One for every checkpoint, in the order of the outputs.
    panel : str
        Its name, a column of every table.
    rules : mapping
        The panel's strata.
    options : mapping
        Section ``activity`` of the configuration, without its steps.
    machine : mapping
        ``device`` and ``batch_size`` of section ``probe``.
    place : Workplace

    Raises
    ------
    RequestError
        If the checkpoint's tokenizer or vocabulary is not the panel's, or a stratum has no target where sets are read.
    """
    torch.set_num_threads(place.threads)
    arrays = panel_of(inputs, rules)
    network = {"device": str(machine["device"]), "length": arrays.token_ids.shape[1]}
    asked = _asked(options, rules, batch_size_of(machine) or AT_ONCE)
    shards = {manifest: {name: inputs[name][k] for name in SHARDS} for k, manifest in enumerate(manifests)}

    def measure(folder: Path, checkpoint: Manifest, files: CheckpointFiles) -> dict[str, pa.Table]:
        model = load_for_gradients(folder, **network)
        probed = read_probed(shards[files.manifest], asked.strata)
        found = measure_activity(model, arrays, probed, asked)
        return {name: from_rows(name, found[name], place_of(checkpoint, panel)) for name in OUTPUTS}

    job = job_on_panel("activity", dict.fromkeys(OUTPUTS, params_on(rules, options)), inputs, machine)
    drawn = panel_digests(inputs)
    files = [_with_shards(one, shards[one.manifest], drawn) for one in files_of(manifests, outputs)]
    run_checkpoint_job(job, files, measure, place=place)


def read_probed(shards: Mapping[str, str], strata: Sequence[str]) -> Probed:
    """Read what the probe has found of a checkpoint: paths of its `SHARDS`."""
    table = read_table(shards["influence"], ["stratum", *_INFLUENCES])
    by_stratum = {s: table.filter(pc.equal(table["stratum"], s)) for s in strata}
    activations = read_table(shards["activations"])
    # Copies: torch shares memory with what it is given, and a table's is read only.
    gradients = read_table(shards["gradients"], ["gradient"])["gradient"]
    return Probed(
        {name: {s: rows[name].to_numpy() for s, rows in by_stratum.items()} for name in _INFLUENCES},
        activations["activation_mean"].to_numpy().copy(),
        activations["activation_variance"].to_numpy().copy(),
        np.stack([row.values.to_numpy() for row in gradients]).astype(np.float64),
    )


def _asked(options: Mapping[str, object], rules: Mapping[str, object], batch_size: int) -> ActivityOptions:
    strata = strata_here(options, rules)
    return ActivityOptions(**{**options, "strata": strata, "signs": tuple(options["signs"]), "batch_size": batch_size})


def _with_shards(files: CheckpointFiles, shards: Mapping[str, str], drawn: Mapping[str, str]) -> CheckpointFiles:
    """Name the shards among the inputs of a checkpoint, and its fault where the probe has found one."""
    about = read_metadata(shards["influence"])
    fault = None if about["status"] == "ok" else str(about["reason"])
    digests = {name: file_sha256(path) for name, path in shards.items()}
    return CheckpointFiles(files.manifest, files.outputs, {**drawn, **digests}, fault)
