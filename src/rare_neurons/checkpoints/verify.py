"""Checks of a folder in place against its manifest; the digest is computed once and remembered."""

import hashlib
import json
import os
from pathlib import Path

from rare_neurons.checkpoints.digests import matches
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.errors import DataFault


def verify_folder(folder: Path, manifest: Manifest, *, stamps: Path) -> None:
    """Check that a folder holds what its manifest says: sizes always, digests once per state of the files.

    Parameters
    ----------
    folder : Path
        Where the files are; nothing in it is changed.
    manifest : Manifest
        What they should be.
    stamps : Path
        Folder for one empty file per verified state (path, sizes, modification times, inodes).

    Raises
    ------
    DataFault
        If a file is gone, has another size, or other content.
    """
    states = []
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file():
            raise DataFault(
                f"{file.name} is gone since the manifest of {manifest.model} step {manifest.step} was written"
            )
        stat = path.stat()
        if stat.st_size != file.size:
            word = "truncated" if stat.st_size < file.size else "changed"
            raise DataFault(
                f"{file.name} was {word} since its manifest was written: {stat.st_size} bytes, manifest {file.size}"
            )
        states.append([file.name, file.key, stat.st_size, stat.st_mtime_ns, stat.st_ino])
    state = json.dumps([os.path.abspath(folder), states])
    stamp = stamps / hashlib.sha256(state.encode()).hexdigest()
    if stamp.exists():
        return
    for file in manifest.files:
        if not matches(folder / file.name, file):
            raise DataFault(f"{file.name} has changed since its manifest was written: sha256 differs")
    stamps.mkdir(parents=True, exist_ok=True)
    stamp.touch()
