"""The Hub client's own cache: read in place, asked where the client is offline, never changed."""

from functools import cached_property
from pathlib import Path

from huggingface_hub import scan_cache_dir, try_to_load_from_cache
from huggingface_hub.errors import CacheNotFound

from rare_neurons.checkpoints.layout import needed_files
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.checkpoints.retry import HubUnreachable

_SHA256_LENGTH = 64


class HubCache:
    """What the Hub client's cache holds of one repository.

    Parameters
    ----------
    repo : str
        Repository, ``owner/name``.
    folder : Path, optional
        The cache, where not its default.
    """

    def __init__(self, repo: str, folder: Path | None = None) -> None:
        self.repo, self.folder = repo, folder

    @cached_property
    def _revisions(self) -> tuple:
        try:
            repositories = scan_cache_dir(self.folder).repos
        except CacheNotFound:
            return ()
        return tuple(r for entry in repositories if entry.repo_id == self.repo for r in entry.revisions)

    def references(self) -> dict[str, str]:
        """Look up the references that are cached, with their commits.

        Raises
        ------
        HubUnreachable
            If there is none: offline, nothing is known of the repository.
        """
        found = {name: revision.commit_hash for revision in self._revisions for name in revision.refs}
        if not found:
            raise HubUnreachable(
                f"HF_HUB_OFFLINE is set and the Hub's cache holds no revision of {self.repo}; unset it, or fetch the "
                "checkpoints beforehand where there is a network"
            )
        return found

    def files(self, commit: str) -> tuple[ManifestFile, ...]:
        """Needed files of a commit that are cached, sorted by name; their digests are the names of their blobs."""
        for revision in self._revisions:
            if revision.commit_hash == commit:
                needed = set(needed_files(file.file_name for file in revision.files))
                found = (
                    _manifest_file(file.file_name, file.size_on_disk, file.blob_path.name)
                    for file in revision.files
                    if file.file_name in needed
                )
                return tuple(sorted(found, key=lambda file: file.name))
        return ()


def cached_snapshot(manifest: Manifest, folder: Path | None = None) -> Path | None:
    """Folder of the Hub client's own cache that holds all files of a manifest, or None."""
    folders = set()
    for file in manifest.files:
        path = try_to_load_from_cache(
            manifest.location, file.name, cache_dir=folder, revision=manifest.commit or manifest.revision
        )
        if not isinstance(path, str):
            return None
        folders.add(Path(path).parent)
    return folders.pop() if len(folders) == 1 else None


def _manifest_file(name: str, size: int, blob: str) -> ManifestFile:
    is_sha256 = len(blob) == _SHA256_LENGTH
    return ManifestFile(name, size, blob if is_sha256 else None, None if is_sha256 else blob)
