"""What every job on checkpoints does: open weights, measure or note the fault, say what went in, write the tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from rare_neurons.catalogue import VERSIONS
from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import Manifest, read_manifest
from rare_neurons.errors import DataFault, do_each
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.kept import NOTHING, Kept
from rare_neurons.tables import empty_table, provenance, write_rows

Place = Mapping[str, object]
Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class CheckpointFiles:
    """One checkpoint of a job.

    Attributes
    ----------
    manifest : str
        Input.
    outputs : mapping of str to str
        Path of each table, by its name in the catalogue.
    inputs : mapping of str to str
        Digests of what else goes in, by name.
    fault : str or None
        Why there is nothing to measure, where that is known beforehand: the weights are not opened.
    """

    manifest: str
    outputs: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


@dataclass(frozen=True)
class CheckpointJob:
    """What is measured on each checkpoint, and what is recorded of it.

    Attributes
    ----------
    rule : str
        Its name in the catalogue.
    params : mapping of str to mapping
        Parameters of each table.
    about : mapping
        Further facts for the files' metadata (compute dtype, rounding model).
    look : callable, optional
        Takes the folder of the weights and the manifest before anything is measured; what it finds of the checkpoint
        goes into the metadata. May raise as `measure` does.
    """

    rule: str
    params: Mapping[str, Mapping[str, object]]
    about: Mapping[str, object] = field(default_factory=dict)
    look: Callable[[Path, Manifest], Mapping[str, str]] = lambda folder, checkpoint: {}


@dataclass(frozen=True)
class Workplace:
    """Cache, threads and folders of a job.

    Attributes
    ----------
    cache : mapping
        Section ``cache`` of the configuration.
    threads : int
    placement : mapping or None
        Where weights go that do not fit the device (``probe.placement``).
    kept : Kept
        Finished tables.
    folders : sequence of str
        Where each of the job's local checkpoints lies for this process; none where they are at their manifests'
        locations, or come through the cache.
    """

    cache: Mapping[str, object]
    threads: int = 1
    placement: Mapping[str, object] | None = None
    kept: Kept = NOTHING
    folders: Sequence[str] = ()

    @classmethod
    def of(
        cls, config: Mapping[str, Mapping[str, object]], threads: int = 1, *, folders: Sequence[str] = ()
    ) -> "Workplace":
        """Where the jobs of a complete configuration work; ``jobs.forced`` is set while rules are forced."""
        kept = Kept(str(config["results"]), forced=bool(config["jobs"].get("forced", False)))
        return cls(config["cache"], threads, config["probe"].get("placement"), kept, tuple(folders))

    def only(self, index: int) -> "Workplace":
        """Where one checkpoint of the job is measured."""
        return replace(self, folders=self.folders[index : index + 1])


def run_checkpoint_job(
    job: CheckpointJob,
    checkpoints: Sequence[CheckpointFiles],
    measure: Callable[[Path, Manifest, CheckpointFiles], Tables],
    *,
    place: Workplace,
) -> None:
    """Measure checkpoints one after the other and write their tables.

    A bad checkpoint gives tables of zero rows whose metadata say why, and harms no other; nor does one that does not
    fit the request. What an earlier job has measured is not measured again.

    Parameters
    ----------
    job : CheckpointJob
    checkpoints : sequence of CheckpointFiles
    measure : callable
        Takes the folder of the weights, the manifest and the files; returns the tables by name. A `DataFault` that it
        raises becomes the checkpoint's status.
    place : Workplace
        Where weights and finished tables are: no parameter of what is measured.

    Raises
    ------
    RequestError
        After all checkpoints: of the first one that does not fit the request.
    """

    def write(one: tuple[CheckpointFiles, str | None]) -> None:
        files, folder = one
        checkpoint = read_manifest(Path(files.manifest))
        abouts = _provenances(job, files, checkpoint)
        if place.kept.restore(files.outputs, abouts):
            return
        tables, found = _measured(checkpoint, files, job.look, measure, place.cache, folder)
        for name, output in files.outputs.items():
            write_rows(name, tables[name], output, abouts[name] | found)
        if found["status"] == "ok":
            place.kept.keep(files.outputs)

    do_each(zip(checkpoints, place.folders or [None] * len(checkpoints), strict=True), write)


def _provenances(job: CheckpointJob, files: CheckpointFiles, checkpoint: Manifest) -> dict[str, dict[str, object]]:
    """Say what goes into each table, as far as it is known before anything is measured."""
    return {
        name: provenance(
            job.rule,
            VERSIONS[job.rule],
            job.params[name],
            {"manifest": checkpoint.digest, **files.inputs},
            commit=checkpoint.commit,
            weights_sha256=checkpoint.weights_digest,
            **job.about,
        )
        for name in files.outputs
    }


def files_of(
    manifests: Sequence[str], outputs: Mapping[str, Sequence[str]], inputs: Mapping[str, str] | None = None
) -> list[CheckpointFiles]:
    """Pair manifests with the tables of each checkpoint; `inputs` are the same for all."""
    of_each = [dict(zip(outputs, paths, strict=True)) for paths in zip(*outputs.values(), strict=True)]
    return [CheckpointFiles(m, paths, inputs or {}) for m, paths in zip(manifests, of_each, strict=True)]


def place_of(checkpoint: Manifest, panel: str | None = None) -> dict[str, object]:
    """Columns that say which checkpoint, and which panel where there is one, a row belongs to."""
    place = {"model": checkpoint.model, "step": checkpoint.step}
    return place if panel is None else {"panel": panel, **place}


def _measured(
    checkpoint: Manifest,
    files: CheckpointFiles,
    look: Callable[[Path, Manifest], Mapping[str, str]],
    measure: Callable[[Path, Manifest, CheckpointFiles], Tables],
    cache: Mapping[str, object],
    here: str | None,
) -> tuple[Tables, dict[str, str | None]]:
    """Tables of one checkpoint, and what was found of it: status and reason."""
    try:
        if files.fault is not None:
            raise DataFault(files.fault)
        with open_weights(checkpoint, **cache_place(cache), folder=None if here is None else Path(here)) as folder:
            seen = look(folder, checkpoint)
            return measure(folder, checkpoint, files), {"status": "ok", "reason": None, **seen}
    except DataFault as fault:
        empty = {name: empty_table(name) for name in files.outputs}
        return empty, {"status": "bad_checkpoint", "reason": str(fault)}
