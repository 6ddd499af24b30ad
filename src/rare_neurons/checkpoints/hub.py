"""The Hub's own word on a repository: revisions, commits, files, sizes and digests, without a download."""

import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from huggingface_hub import HfApi, get_session, is_offline_mode
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoSibling

from rare_neurons.checkpoints.hub_cache import HubCache
from rare_neurons.checkpoints.layout import is_weight_file, needed_files, what_is_absent
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.checkpoints.retry import HubUnreachable, Network, with_retries
from rare_neurons.errors import DataFault, RequestError

Answer = TypeVar("Answer")
Found = tuple[str, str, tuple[ManifestFile, ...]]
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
        *,
        template: str,
        endpoint: str | None = None,
        network: Network | None = None,
        hub_cache: Path | None = None,
    ) -> None:
        self.repo, self.template, self.endpoint = repo, template, endpoint
        self.network, self._offline = network or Network(), HubCache(repo, hub_cache)
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
                found = self._offline.references() if is_offline_mode() else self._ask_references()
                if not any(self._pattern(r"\d+").fullmatch(name) for name in found):
                    shown = ", ".join(sorted(found)[:5]) or "none"
                    raise RequestError(
                        f"no revision of {self.repo} fits '{self.template}' ({len(found)} revisions: {shown}, …); "
                        "correct the revision template in the configuration"
                    )
                self._references = found
            return self._references

    def steps(self) -> tuple[int, ...]:
        """List the steps that the repository has revisions for, ascending."""
        matches = (self._pattern(r"(\d+)").fullmatch(name) for name in self.references())
        return tuple(sorted({int(match[1]) for match in matches if match}))

    def manifest(self, model: str, step: int) -> Manifest:
        """Describe the checkpoint of one step; a missing revision or missing weights are told in its status.

        Asks once for the revision itself where the template says its name; else references are listed first.
        """
        wanted = self.template.replace(_FIELD, str(step))
        describe = partial(Manifest, model, step, "hub", self.repo, endpoint=self.endpoint)
        try:
            found = self._find(step, wanted)
        except DataFault as fault:
            return describe(wanted, status="corrupt", reason=str(fault))
        if found is None:
            reason = f"no revision {wanted} among the {len(self.references())} of {self.repo}"
            return describe(wanted, status="missing", reason=reason)
        name, commit, files = found
        reason = _what_is_missing(files, name)
        return describe(name, commit, files, "ok" if reason is None else "missing", reason)

    def _find(self, step: int, wanted: str) -> Found | None:
        """Name, commit and needed files of a step's revision, or None if there is none."""
        if is_offline_mode():
            name = self._reference(step)
            files = () if name is None else self._offline.files(self.references()[name])
            if not any(is_weight_file(file.name) for file in files):
                raise HubUnreachable(  # offline, an absent checkpoint is no fault of the data
                    f"HF_HUB_OFFLINE is set and the Hub's cache holds no weights of {self.repo} at {wanted}; unset it, "
                    "or fetch the checkpoints beforehand where there is a network"
                )
            return name, self.references()[name], files
        direct = self._ask_files(wanted) if "*" not in wanted else None
        if direct is not None:
            return wanted, *direct
        name = self._reference(step)
        if name is None:
            return None
        commit = self.references()[name]
        # Listed among the references, and gone: no weights.
        return name, *(self._ask_files(commit) or (commit, ()))

    def _reference(self, step: int) -> str | None:
        """Name of the one reference that fits the template at a step."""
        pattern = self._pattern(re.escape(str(step)))
        names = sorted(name for name in self.references() if pattern.fullmatch(name))
        if len(names) > 1:
            raise RequestError(
                f"{len(names)} revisions of {self.repo} fit '{self.template}' at step {step}: {', '.join(names[:4])}; "
                "make the revision template in the configuration more exact"
            )
        return names[0] if names else None

    def _pattern(self, number: str) -> re.Pattern[str]:
        parts = re.split(r"(\{step\}|\*)", self.template)
        return re.compile("".join({_FIELD: number, "*": ".*"}.get(part, re.escape(part)) for part in parts))

    def _ask_references(self) -> dict[str, str]:
        def ask() -> dict[str, str]:
            # This call takes no timeout of its own, and the client's session waits for ever by default.
            get_session().timeout = self.network.timeout_s
            refs = self.api.list_repo_refs(self.repo)
            return {ref.name: ref.target_commit for ref in (*refs.tags, *refs.branches)}

        return self._ask(ask, f"revisions of {self.repo}")

    def _ask_files(self, revision: str) -> tuple[str, tuple[ManifestFile, ...]] | None:
        """Commit and needed files of a revision, or None if there is no such revision."""

        # Not the tree listing: the client retries that one itself, on top of the retries here.
        def ask() -> tuple[str, tuple[ManifestFile, ...]]:
            info = self.api.model_info(
                self.repo, revision=revision, files_metadata=True, timeout=self.network.timeout_s
            )
            needed = needed_files(sibling.rfilename for sibling in info.siblings or ())
            listed = (_listed(sibling) for sibling in info.siblings or () if sibling.rfilename in needed)
            return info.sha, tuple(sorted(listed, key=lambda file: file.name))

        try:
            return self._ask(ask, f"files of {self.repo} at {revision}")
        except RevisionNotFoundError:
            return None

    def _ask(self, ask: Callable[[], Answer], what: str) -> Answer:
        try:
            return with_retries(ask, network=self.network, what=what)
        except RepositoryNotFoundError as error:
            raise RequestError(
                f"no repository {self.repo} at {self.api.endpoint}, or it is private or gated; correct the name, or "
                "log in with `hf auth login`"
            ) from error


def _listed(sibling: RepoSibling) -> ManifestFile:
    sha256 = sibling.lfs.sha256 if sibling.lfs is not None else None
    digest, length = (sha256, _SHA256_LENGTH) if sha256 else (sibling.blob_id, _GIT_ID_LENGTH)
    # Digests become file names in the cache: nothing else may pass.
    if sibling.size is None or not re.fullmatch(rf"[0-9a-f]{{{length}}}", digest or ""):
        raise DataFault(f"{sibling.rfilename}: the Hub lists it with size {sibling.size} and digest {digest!r}")
    return ManifestFile(sibling.rfilename, sibling.size, sha256, None if sha256 else digest)


def _what_is_missing(files: tuple[ManifestFile, ...], revision: str) -> str | None:
    names = [file.name for file in files]
    if not any(map(is_weight_file, names)):
        return f"revision {revision} holds no weights (model.safetensors, pytorch_model.bin or their shards)"
    absent = what_is_absent(names)
    return None if absent is None else f"revision {revision} {absent}"
