"""Stage `allocation`: which weights changed the loss between two checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import torch

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import Manifest, read_manifest
from rare_neurons.models.allocation.measure import AllocationOptions, measure_allocation
from rare_neurons.models.loading import load_for_gradients
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    Workplace,
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

OUTPUTS = ("allocation", "allocation_changes")


@dataclass(frozen=True)
class Interval:
    """Two checkpoints of a model.

    Attributes
    ----------
    before, after : str
        Manifests of both ends.
    between : str or None
        Manifest of a checkpoint between, where the account by way of it is asked for.
    folders : mapping of str to str
        By manifest, where a local checkpoint lies for this process, if not at its manifest's location.
    """

    before: str
    after: str
    between: str | None = None
    folders: Mapping[str, str] = field(default_factory=dict)


def write_allocation(
    outputs: Mapping[str, Sequence[str]],
    inputs: Mapping[str, str],
    *,
    intervals: Sequence[Interval],
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    options: Mapping[str, object],
    machine: Mapping[str, object],
    place: Workplace,
) -> None:
    """Divide the loss change of intervals between checkpoints of a model among its weights.

    A bad checkpoint at either end gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        For each of `OUTPUTS` a path for every interval.
    inputs : mapping
        Paths of contexts, targets, unigram and tokenizer.
    intervals : sequence of Interval
        In the order of the outputs.
    panel : str
    rules : mapping
        The panel's strata.
    options : mapping
        Section ``allocation`` of the configuration, without its steps.
    machine : mapping
        ``device`` and ``batch_size`` of section ``probe``.
    place : Workplace
    """
    torch.set_num_threads(place.threads)
    arrays = panel_of(inputs, rules)
    network = {"device": str(machine["device"]), "length": arrays.token_ids.shape[1]}
    asked = AllocationOptions(**_asked(options, rules), batch_size=batch_size_of(machine))
    files = _files(outputs, intervals, panel_digests(inputs))
    of_output = {file.outputs["allocation"]: interval for file, interval in zip(files, intervals, strict=True)}

    def opened(manifest: str, folders: Mapping[str, str]) -> torch.nn.Module:
        here = Path(folders[manifest]) if manifest in folders else None
        with open_weights(read_manifest(Path(manifest)), **cache_place(place.cache), folder=here) as folder:
            return load_for_gradients(folder, **network)

    def measure(folder: Path, checkpoint: Manifest, own: CheckpointFiles) -> dict[str, pa.Table]:
        interval = of_output[own.outputs["allocation"]]
        earlier = opened(interval.before, interval.folders)
        inside = None if interval.between is None else opened(interval.between, interval.folders)
        found = measure_allocation(earlier, load_for_gradients(folder, **network), arrays, asked, middle=inside)
        here = {**place_of(checkpoint, panel), "step_before": read_manifest(Path(interval.before)).step}
        columns = {"allocation": found.rows, "allocation_changes": found.changes}
        return {name: from_columns(name, here, some) for name, some in columns.items()}

    job = job_on_panel("allocation", dict.fromkeys(OUTPUTS, params_on(rules, options)), inputs, machine)
    run_checkpoint_job(job, files, measure, place=place)


def _asked(options: Mapping[str, object], rules: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in own_strata(options, rules).items() if name != "path"}


def _files(
    outputs: Mapping[str, Sequence[str]], intervals: Sequence[Interval], digests: Mapping[str, str]
) -> list[CheckpointFiles]:
    """Files of each interval; the checkpoint that a job opens by itself is the later one."""
    files = []
    for k, interval in enumerate(intervals):
        mine = {name: paths[k] for name, paths in outputs.items()}
        others = {"manifest_before": interval.before, "manifest_between": interval.between}
        more = {name: read_manifest(Path(path)).digest for name, path in others.items() if path is not None}
        files.append(CheckpointFiles(interval.after, mine, {**digests, **more}))
    return files
