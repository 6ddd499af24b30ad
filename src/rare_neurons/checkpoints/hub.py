"""The Hub's own word on a repository: revisions, commits, files, sizes and digests, without a download."""

import re
import threading
from functools import cached_property
from pathlib import Path

from huggingface_hub import HfApi, get_session, is_offline_mode, scan_cache_dir, try_to_load_from_cache
from huggingface_hub.errors import CacheNotFound, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoSibling

from rare_neurons.checkpoints.layout import absent_shards, is_weight_file, needed_files
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.checkpoints.retry import HubUnreachable, Network, with_retries
from rare_neurons.errors import DataFault, RequestError

_SHA256_LENGTH, _GIT_ID_LENGTH = 64, 40
_FIELD = "{step}"


class HubListing:
    """Revisions and files of one repository; safe to use from several threads.

    Parameters
    ----------
    repo : str
        Repository, ``owner/name``.
    template : str
        Revision with ``{step}``; ``*`` stands for any text.
    endpoint : str, optional
        Address of the Hub; the client's default otherwise.
    network : Network
        Patience with the network.
    hub_cache : Path, optional
        The Hub client's own cache, read where the client is offline.
    """

    def __init__(
        self,
        repo: str,
        template: str,
        endpoint: str | None = None,
        *,
        network: Network | None = None,
        hub_cache: Path | None = None,
    ) -> None:
        self.repo, self.template, self.endpoint = repo, template, endpoint
        self.network, self.hub_cache = network or Network(), hub_cache
        self.api = HfApi(endpoint=endpoint)
        self._references: dict[str, str] | None = None
        self._lock = threading.Lock()

    def references(self) -> dict[str, str]:
        """Branches and tags with their commits, asked for once.

        Raises
        ------
        RequestError
            If there is no such repository, or none of its references fits the template.
        HubUnreachable
            If the Hub cannot be reached, or the client is offline and its cache does not know the repository.
        """
        with self._lock:
            if self._references is None:
                found = self._cached_references() if is_offline_mode() else self._ask_references()
                if not any(self._pattern(r"\d+").fullmatch(name) for name in found):
                    shown = ", ".join(sorted(found)[:5]) or "none"
                    raise RequestError(
                        f"no revision of {self.repo} fits '{self.template}' ({len(found)} revisions: {shown}, …); "
                        "correct the revision template in the configuration"
                    )
                self._references = found
            return self._references

    def steps(self) -> tuple[int, ...]:
        """Steps that the repository has revisions for, ascending."""
        matches = (self._pattern(r"(\d+)").fullmatch(name) for name in self.references())
        return tuple(sorted({int(match[1]) for match in matches if match}))

    def manifest(self, model: str, step: int) -> Manifest:
        """Describe the checkpoint of one step; a missing revision or missing weights are told in its status."""
        pattern = self._pattern(re.escape(str(step)))
        names = sorted(name for name in self.references() if pattern.fullmatch(name))
        if len(names) > 1:
            raise RequestError(
                f"{len(names)} revisions of {self.repo} fit '{self.template}' at step {step}: {', '.join(names[:4])}; "
                "make the revision template in the configuration more exact"
            )
        wanted = self.template.replace(_FIELD, str(step))
        if is_offline_mode():
            self._refuse_uncached(names, wanted)
        if not names:
            reason = f"no revision {wanted} among the {len(self.references())} of {self.repo}"
            return Manifest(model, step, "hub", self.repo, wanted, None, (), "missing", reason, self.endpoint)
        commit = self.references()[names[0]]
        try:
            listed = self._cached_files(commit) if is_offline_mode() else self._ask_files(commit)
        except DataFault as fault:
            return Manifest(model, step, "hub", self.repo, names[0], commit, (), "corrupt", str(fault), self.endpoint)
        needed = set(needed_files(file.name for file in listed))
        files = tuple(sorted((file for file in listed if file.name in needed), key=lambda file: file.name))
        reason = _what_is_missing(files, names[0])
        status = "ok" if reason is None else "missing"
        return Manifest(model, step, "hub", self.repo, names[0], commit, files, status, reason, self.endpoint)

    def _pattern(self, number: str) -> re.Pattern[str]:
        parts = re.split(r"(\{step\}|\*)", self.template)
        return re.compile("".join({_FIELD: number, "*": ".*"}.get(part, re.escape(part)) for part in parts))

    def _ask_references(self) -> dict[str, str]:
        def ask() -> dict[str, str]:
            # This call takes no timeout of its own, and the client's session waits for ever by default.
            get_session().timeout = self.network.timeout_s
            refs = self.api.list_repo_refs(self.repo)
            return {ref.name: ref.target_commit for ref in (*refs.tags, *refs.branches)}

        try:
            return with_retries(ask, network=self.network, what=f"revisions of {self.repo}")
        except RepositoryNotFoundError as error:
            raise RequestError(
                f"no repository {self.repo} at {self.api.endpoint}, or it is private or gated; correct the name, or "
                "log in with `hf auth login`"
            ) from error

    def _ask_files(self, commit: str) -> tuple[ManifestFile, ...]:
        # Not the tree listing: the client retries that one itself, on top of the retries here.
        def ask() -> tuple[ManifestFile, ...]:
            info = self.api.model_info(self.repo, revision=commit, files_metadata=True, timeout=self.network.timeout_s)
            needed = needed_files(sibling.rfilename for sibling in info.siblings or ())
            return tuple(_listed(sibling) for sibling in info.siblings or () if sibling.rfilename in needed)

        try:
            return with_retries(ask, network=self.network, what=f"files of {self.repo} at {commit}")
        except RevisionNotFoundError:
            return ()  # listed among the references, and gone: no weights

    @cached_property
    def _cached(self) -> tuple:
        """Revisions of the repository in the Hub client's own cache."""
        try:
            repositories = scan_cache_dir(self.hub_cache).repos
        except CacheNotFound:
            return ()
        return tuple(r for entry in repositories if entry.repo_id == self.repo for r in entry.revisions)

    def _cached_references(self) -> dict[str, str]:
        found = {name: revision.commit_hash for revision in self._cached for name in revision.refs}
        if not found:
            raise HubUnreachable(
                f"HF_HUB_OFFLINE is set and the Hub's cache holds no revision of {self.repo}; unset it, or fetch the "
                "checkpoints beforehand where there is a network"
            )
        return found

    def _refuse_uncached(self, names: list[str], wanted: str) -> None:
        """Offline, an absent checkpoint is no fault of the data."""
        cached = [file.name for name in names for file in self._cached_files(self.references()[name])]
        if not any(map(is_weight_file, cached)):
            raise HubUnreachable(
                f"HF_HUB_OFFLINE is set and the Hub's cache holds no weights of {self.repo} at {wanted}; unset it, or "
                "fetch the checkpoints beforehand where there is a network"
            )

    def _cached_files(self, commit: str) -> tuple[ManifestFile, ...]:
        for revision in self._cached:
            if revision.commit_hash == commit:
                files = [(file.file_name, file.size_on_disk, file.blob_path.name) for file in revision.files]
                return tuple(
                    ManifestFile(name, size, blob if len(blob) == _SHA256_LENGTH else None, _git_id(blob))
                    for name, size, blob in files
                )
        return ()


def cached_snapshot(manifest: Manifest, hub_cache: Path | None = None) -> Path | None:
    """Folder of the Hub client's own cache that holds all files of a manifest, or None."""
    folders = set()
    for file in manifest.files:
        path = try_to_load_from_cache(
            manifest.location, file.name, cache_dir=hub_cache, revision=manifest.commit or manifest.revision
        )
        if not isinstance(path, str):
            return None
        folders.add(Path(path).parent)
    return folders.pop() if len(folders) == 1 else None


def _listed(sibling: RepoSibling) -> ManifestFile:
    sha256 = sibling.lfs.sha256 if sibling.lfs is not None else None
    digest, length = (sha256, _SHA256_LENGTH) if sha256 else (sibling.blob_id, _GIT_ID_LENGTH)
    # Digests become file names in the cache: nothing else may pass.
    if sibling.size is None or not re.fullmatch(rf"[0-9a-f]{{{length}}}", digest or ""):
        raise DataFault(f"{sibling.rfilename}: the Hub lists it with size {sibling.size} and digest {digest!r}")
    return ManifestFile(sibling.rfilename, sibling.size, sha256, None if sha256 else digest)


def _git_id(blob: str) -> str | None:
    return None if len(blob) == _SHA256_LENGTH else blob


def _what_is_missing(files: tuple[ManifestFile, ...], revision: str) -> str | None:
    names = [file.name for file in files]
    if not any(map(is_weight_file, names)):
        return f"revision {revision} holds no weights (model.safetensors, pytorch_model.bin or their shards)"
    if absent := absent_shards(names):
        return f"revision {revision} lacks {len(absent)} of its shards: {', '.join(absent)}"
    return None
