"""One file from the Hub to the disk: resumed, and believed only when its digest fits."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status
from tqdm import tqdm

from rare_neurons.checkpoints.digests import Hasher, content_hasher, expected_digest, feed
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.checkpoints.retry import Network, Stopped, with_retries
from rare_neurons.errors import DataFault

_WORTH_A_BAR = 1 << 20  # bytes
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


class Response(Protocol):
    """What is used of an answer to a request: the Hub's client has changed the package that it comes from."""

    status_code: int

    def read(self) -> bytes:
        """Read the whole body."""

    def iter_bytes(self) -> Iterator[bytes]:
        """Read the body as it arrives."""


def fetch_file(
    manifest: Manifest, file: ManifestFile, partial: Path, *, network: Network, stop: threading.Event | None = None
) -> None:
    """Complete `partial`, which may hold the beginning already, and check it against the manifest.

    A wrong size or digest is fetched once more from the start: wrong again, it is the source's fault.

    Raises
    ------
    DataFault
        If the source serves other bytes than its own listing promises, or the file is gone.
    HubUnreachable
        If the network fails for good; what was fetched stays.
    Stopped
        If `stop` is set; what was fetched stays.
    """
    where = f"{file.name} of {manifest.location} at {manifest.revision} (commit {manifest.commit})"
    for _ in range(2):
        transfer = _Transfer(manifest, file, partial, network, stop)
        with_retries(transfer.run, network=network, what=where, position=transfer.position, stop=stop)
        if transfer.fault is None:
            return
        partial.unlink(missing_ok=True)
    raise DataFault(f"{where}: {transfer.fault}, twice: the source is bad")


class _Transfer:
    """The transfer of one file; each `run` continues where the disk ends."""

    def __init__(
        self, manifest: Manifest, file: ManifestFile, partial: Path, network: Network, stop: threading.Event | None
    ) -> None:
        self.file, self.partial, self.network, self.stop = file, partial, network, stop
        self.label = f"{manifest.model} step {manifest.step} {file.name}"
        self.url = hf_hub_url(manifest.location, file.name, revision=manifest.commit, endpoint=manifest.endpoint)
        self.fault: str | None = None

    def position(self) -> int:
        """Bytes on disk."""
        return self.partial.stat().st_size if self.partial.exists() else 0

    def run(self) -> None:
        """Fetch what is missing; afterwards `fault` says what is wrong with the whole, if anything."""
        hasher = content_hasher(self.file)
        if self.position() > self.file.size:
            self.partial.unlink()
        if self.position():
            feed(hasher, self.partial)
        if self.position() < self.file.size or self.file.size == 0:
            hasher = self._stream(hasher)
        size = self.position()
        if size != self.file.size:
            word = "truncated" if size < self.file.size else "too long"
            self.fault = f"{word} at the source, {size} bytes where its listing says {self.file.size}"
        elif hasher.hexdigest() != expected_digest(self.file):
            self.fault = "other content than its listing says (digest differs)"

    def _stream(self, hasher: Hasher) -> Hasher:
        start = self.position()
        # Without "identity" a server may compress, and ranges would count compressed bytes.
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        timeout = self.network.timeout_s
        with get_session().stream("GET", self.url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                return hasher  # the source ends before the listing says: found by the size
            self._raise_for_status(response)
            if start and response.status_code != _PARTIAL_CONTENT:
                start, hasher = 0, content_hasher(self.file)
            self._write(response, hasher, start)
        return hasher

    def _raise_for_status(self, response: Response) -> None:
        if response.status_code >= 400:
            response.read()
        try:
            hf_raise_for_status(response)
        except (EntryNotFoundError, RevisionNotFoundError) as error:
            raise DataFault(f"{self.label}: listed, but not served ({type(error).__name__})") from error

    def _write(self, response: Response, hasher: Hasher, start: int) -> None:
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        interval = 0.2 if sys.stderr.isatty() else 10.0
        with (
            self.partial.open("r+b" if start else "wb") as out,
            tqdm(
                total=self.file.size,
                initial=start,
                unit="B",
                unit_scale=True,
                desc=self.label,
                mininterval=interval,
                disable=not self.network.progress or self.file.size < _WORTH_A_BAR,
            ) as bar,
        ):
            out.seek(start)
            for chunk in response.iter_bytes():
                out.write(chunk)
                hasher.update(chunk)
                bar.update(len(chunk))
                if out.tell() > self.file.size:
                    break
                if self.stop is not None and self.stop.is_set():
                    raise Stopped
