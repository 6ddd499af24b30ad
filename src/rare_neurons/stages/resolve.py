"""Stage `resolve`: from a model and a step to a manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rare_neurons.checkpoints.listed import take_listed
from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.sources import Source, resolve
from rare_neurons.errors import DataFault, do_each
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.own_tokenizer import compare_tokenizer

if TYPE_CHECKING:
    from rare_neurons.checkpoints.retry import Network


def source_of(model: Mapping[str, object], pretrained: str) -> Source:
    """Return where the checkpoints of a model of the configuration are.

    Parameters
    ----------
    model : mapping
        An entry of ``models``.
    pretrained : str
        Folder of the checkpoints of a model that is trained here.
    """
    if model["source"] == "hub":
        return Source("hub", str(model["repo"]), revision=str(model["revision"]))
    return Source("folder", f"{pretrained}/step{{step}}" if model["source"] == "pretrain" else str(model["path"]))


def write_resolved(
    output: str,
    *,
    model: str,
    step: int,
    source: Source,
    tokenizer: str | None,
    cache: Mapping[str, object],
    folder: str | None = None,
) -> None:
    """Write the manifest of one checkpoint; a checkpoint that is not there or not whole gets a status and a reason.

    What the plan at the start of the run listed is taken from there. `folder` is where a local checkpoint lies for this
    job, where that is not at the source's location. Without a tokenizer, where only spectra are measured, that of the
    checkpoint is compared with none.

    Raises
    ------
    RequestError
        If a local checkpoint carries another tokenizer than the one configured; a fetched one is checked when it is
        opened.
    """
    listed = take_listed(listing_folder(cache), model, step, source) if source.kind == "hub" else None
    here = None if folder is None else Path(folder)
    patience = metadata_patience() if source.kind == "hub" else None
    manifest = listed or resolve(model, step, source, folder=here, network=patience)
    if source.kind == "folder" and manifest.status == "ok" and tokenizer is not None:
        try:
            compare_tokenizer(here or source.folder(step), Path(tokenizer), f"{model}, step {step}")
        except DataFault as fault:
            manifest = replace(manifest, status="corrupt", reason=str(fault))
    write_manifest(manifest, Path(output))


def write_all_resolved(
    outputs: Sequence[str], *, model: str, steps: Sequence[int], folders: Sequence[str] = (), **about: object
) -> None:
    """Write the manifests of several checkpoints; `about` as for `write_resolved`, `folders` one for each or none.

    Raises
    ------
    RequestError
        After all of them: of the first that does not fit the request.
    """
    do_each(
        zip(outputs, steps, folders or [None] * len(steps), strict=True),
        lambda one: write_resolved(one[0], model=model, step=one[1], folder=one[2], **about),
    )


def listing_folder(cache: Mapping[str, object]) -> Path:
    """Where the plan keeps manifests for the jobs of a run, in the managed cache."""
    return cache_place(cache)["cache_dir"] / "listed"


def metadata_patience() -> "Network":
    """Patience with metadata: without a network the answer comes within seconds."""
    from rare_neurons.checkpoints.retry import Network

    return Network(connect_attempts=2)
