"""Checksums beside files whose format has no place for one, as ``sha256sum --check`` reads them."""

import hashlib
import os
from pathlib import Path

from rare_neurons.errors import DamagedFile


def file_sha256(path: Path | str) -> str:
    """Return the sha256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sum(path: Path | str) -> None:
    """Write the checksum of a file beside it, as ``NAME.sha256``."""
    path = Path(path)
    beside = _beside(path)
    draft = beside.with_name(f".{beside.name}.{os.getpid()}")
    draft.write_text(f"{file_sha256(path)}  {path.name}\n", encoding="utf-8")
    draft.replace(beside)


def check_sum(path: Path | str) -> bool:
    """Check a file by the checksum beside it; False where there is none (an earlier version wrote the file).

    Raises
    ------
    DamagedFile
        If it does not fit.
    """
    path = Path(path)
    try:
        stated = _beside(path).read_bytes()
    except FileNotFoundError:
        return False
    if stated.split()[:1] != [file_sha256(path).encode()]:
        raise DamagedFile(path, f"it does not have the sha256 in {_beside(path).name}")
    return True


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
