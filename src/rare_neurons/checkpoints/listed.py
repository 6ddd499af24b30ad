"""Manifests that the plan at the start of a run found, kept for the jobs of that run: the Hub is asked once."""

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from rare_neurons.checkpoints.manifest import Manifest, read_manifest, write_manifest
from rare_neurons.checkpoints.sources import Source

_FRESH_S = 24 * 3600.0  # a branch may be moved; each run lists anew what it will resolve


def keep_listed(folder: Path, source: Source, manifests: Iterable[Manifest]) -> None:
    """Keep the good manifests of a Hub source; what is missing may appear any time and is not kept."""
    for manifest in manifests:
        if manifest.status == "ok":
            write_manifest(manifest, _path(folder, source, manifest.model, manifest.step))


def take_listed(folder: Path, model: str, step: int, source: Source) -> Manifest | None:
    """Return the manifest kept within the last day, or None."""
    path = _path(folder, source, model, step)
    if not path.is_file() or time.time() - path.stat().st_mtime > _FRESH_S:
        return None
    return read_manifest(path)


def _path(folder: Path, source: Source, model: str, step: int) -> Path:
    from huggingface_hub import constants

    endpoint = source.endpoint or constants.ENDPOINT
    key = hashlib.sha256("\n".join((endpoint, source.location, source.revision)).encode()).hexdigest()[:16]
    return Path(folder) / model / key / f"step{step}.json"
