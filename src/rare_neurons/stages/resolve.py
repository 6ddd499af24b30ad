"""Stage `resolve`: from a model and a step to a manifest."""

from collections.abc import Mapping
from pathlib import Path

from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.sources import Source, resolve


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


def write_resolved(output: str, *, model: str, step: int, source: Source) -> None:
    """Write the manifest of one checkpoint; a checkpoint that is not there or not whole gets a status and a reason."""
    write_manifest(resolve(model, step, source), Path(output))
