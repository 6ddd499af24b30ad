"""Digests of files, and the check of a file against its manifest."""

import hashlib
from pathlib import Path
from typing import Protocol

from rare_neurons.checkpoints.files import open_regular
from rare_neurons.checkpoints.manifest import ManifestFile

_BLOCK = 1 << 20


class Hasher(Protocol):
    """What is used of `hashlib`'s objects."""

    def update(self, data: bytes, /) -> None:
        """Take more content."""

    def hexdigest(self) -> str:
        """Digest of the content so far."""


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hasher(file: ManifestFile) -> Hasher:
    """Hash object whose hex digest must equal `expected_digest` once it has seen the whole content."""
    if file.sha256 is not None:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)


def expected_digest(file: ManifestFile) -> str:
    """Digest that `content_hasher` must give."""
    return file.sha256 if file.sha256 is not None else file.blob_id


def feed(hasher: Hasher, path: Path) -> None:
    """Let a hash object see a whole file."""
    with open_regular(path) as stream:
        while block := stream.read(_BLOCK):
            hasher.update(block)


def matches(path: Path, file: ManifestFile) -> bool:
    """Whether a file on disk has the size and the digest of its manifest entry."""
    if Path(path).stat().st_size != file.size:
        return False
    hasher = content_hasher(file)
    feed(hasher, path)
    return hasher.hexdigest() == expected_digest(file)
