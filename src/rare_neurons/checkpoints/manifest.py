"""What a checkpoint is and where its bytes are: one small JSON file per model and step."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from rare_neurons.checkpoints.layout import is_weight_file
from rare_neurons.errors import DamagedFile

_SEAL = "content_sha256"


@dataclass(frozen=True, order=True)
class ManifestFile:
    """One file of a checkpoint.

    Attributes
    ----------
    name : str
        Path relative to the checkpoint's folder.
    size : int
        Bytes.
    sha256 : str or None
        Hex digest of the content. None for files that the Hub keeps in git, whose digest it does not tell.
    blob_id : str or None
        Git blob id (sha1) of the content where the Hub tells it, else None.
    """

    name: str
    size: int
    sha256: str | None = None
    blob_id: str | None = None

    @property
    def key(self) -> str:
        """Name of the content: equal keys mean equal bytes."""
        return self.sha256 if self.sha256 is not None else f"git-{self.blob_id}"


@dataclass(frozen=True)
class Manifest:
    """A checkpoint before its weights are opened.

    Attributes
    ----------
    model : str
        Name of the model in the configuration.
    step : int
        Optimizer updates.
    source : str
        ``"folder"`` or ``"hub"``.
    location : str
        Folder of the checkpoint as the configuration names it, or the Hub repository. Where a job finds the folder's
        files may be another place.
    revision, commit : str or None
        Git reference and the commit it stood for; None for folders.
    files : tuple of ManifestFile
        Needed files only, sorted by name.
    status : str
        ``"ok"``, ``"missing"`` (no such revision, no weights, a shard absent) or ``"corrupt"``.
    reason : str or None
        One sentence where the status is not ``"ok"``.
    endpoint : str or None
        Hub address where it is not the default one.
    """

    model: str
    step: int
    source: str
    location: str
    revision: str | None = None
    commit: str | None = None
    files: tuple[ManifestFile, ...] = ()
    status: str = "ok"
    reason: str | None = None
    endpoint: str | None = None

    @property
    def digest(self) -> str:
        """Hash of names and content of all files; location, model and step do not enter."""
        return _digest(self.files)

    @property
    def weights_digest(self) -> str:
        """Hash of the weight files alone: equal for checkpoints that serve the same weights."""
        return _digest(tuple(f for f in self.files if is_weight_file(f.name)))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(f.size for f in self.files)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest atomically; equal manifests give equal bytes."""
    record = {**asdict(manifest), "digest": manifest.digest, "weights_digest": manifest.weights_digest}
    record[_SEAL] = _content_digest(record)
    text = json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest written by `write_manifest`.

    Raises
    ------
    DamagedFile
        If the file is no manifest, or a digest does not fit its content.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        sealed = record.pop(_SEAL, None)  # manifests of earlier versions have none
        if sealed is not None and sealed != _content_digest(record):
            raise DamagedFile(path, "its content does not have its digest")
        digest, weights = record.pop("digest"), record.pop("weights_digest")
        manifest = Manifest(**{**record, "files": tuple(ManifestFile(**f) for f in record["files"])})
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(path, f"it is no checkpoint manifest ({error})") from error
    if (digest, weights) != (manifest.digest, manifest.weights_digest):
        raise DamagedFile(path, "the digest does not fit the files listed")
    return manifest


def _content_digest(record: dict[str, object]) -> str:
    """Hash of a manifest's record, whose keys and values are those of its JSON."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _digest(files: tuple[ManifestFile, ...]) -> str:
    listed = [[f.name, f.size, f.key] for f in sorted(files, key=lambda f: f.name)]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
