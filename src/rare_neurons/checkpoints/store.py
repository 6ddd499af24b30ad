"""Files by content within a disk budget, shared by processes: locks, pins, least recently used out first."""

import json
import os
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.errors import DataFault, RequestError

_POLL_S = 0.25
_ORPHAN_AGE_S = 24 * 3600.0  # a partial file that nobody resumed for a day
_MEMORY_S = 24 * 3600.0  # how long a bad source is believed to stay bad


@dataclass(frozen=True)
class _Held:
    """What is on disk or promised to somebody: bytes per content key."""

    blobs: dict[str, int]
    partials: dict[str, int]
    pinned: dict[str, int]

    @property
    def total(self) -> int:
        whole = {**self.pinned, **self.blobs}
        return sum(whole.values()) + sum(size for key, size in self.partials.items() if key not in whole)


class Store:
    """Managed cache of verified files.

    Layout under `folder`: ``blobs/<key>`` whole verified files, ``partial/<key>`` beginnings of files,
    ``faults/<key>`` why a source was found bad (believed for a day; delete it to try again at once),
    ``pins/<id>.json`` what a living process uses or is fetching, ``views/<id>/`` links with the files' names,
    ``locks/`` lock files. A pin lives as long as its lock is held, so a killed process leaves none behind.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder, self.budget_bytes = Path(folder), int(budget_bytes)
        for name in ("blobs", "partial", "faults", "pins", "views", "locks"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def pin(self, manifest: Manifest, *, wait: bool = True) -> Iterator[str | None]:
        """Reserve room for a checkpoint's files and keep them from being evicted; yields the pin's id.

        Waits until other processes free the room; without `wait`, yields None where there is none.

        Raises
        ------
        RequestError
            If the checkpoint alone exceeds the budget.
        """
        wanted = {file.key: file.size for file in manifest.files}
        name = f"{manifest.model} step {manifest.step}"
        if sum(wanted.values()) > self.budget_bytes:
            raise RequestError(
                f"{name} needs {sum(wanted.values())} bytes, the cache's disk budget is {self.budget_bytes}; raise it "
                "in the configuration"
            )
        pin = f"{self._owner()}-{uuid.uuid4().hex[:12]}"
        lock = FileLock(self._pins / f"{pin}.lock")
        announced = False
        try:
            while not self._try_pin(pin, lock, wanted, name):
                if not wait:
                    yield None
                    return
                if not announced:
                    print(f"{name}: waiting for room in {self.folder} ({self._users()} in use)", file=sys.stderr)
                    announced = True
                time.sleep(_POLL_S)
            yield pin
        finally:
            self._unpin(pin, lock)

    def ensure(self, file: ManifestFile, fetch: Callable[[Path], None]) -> Path:
        """Return a pinned file's path; `fetch(partial)` completes and verifies it, in one process at a time.

        Raises
        ------
        DataFault
            If the source is bad, or was found so within the last day.
        """
        blob = self.folder / "blobs" / file.key
        with FileLock(self.folder / "locks" / f"{file.key}.lock"):
            if not blob.exists() or blob.stat().st_size != file.size:
                blob.unlink(missing_ok=True)
                self._fetch(file, fetch)
            os.utime(blob)
        return blob

    def _fetch(self, file: ManifestFile, fetch: Callable[[Path], None]) -> None:
        """Fetch a file; that its source is bad is remembered, so that the next job does not fetch it as well."""
        fault = self.folder / "faults" / file.key
        if fault.exists() and time.time() - fault.stat().st_mtime < _MEMORY_S:
            raise DataFault(fault.read_text(encoding="utf-8"))
        partial = self.folder / "partial" / file.key
        try:
            fetch(partial)
        except DataFault as error:
            fault.write_text(str(error), encoding="utf-8")
            raise
        fault.unlink(missing_ok=True)
        os.replace(partial, self.folder / "blobs" / file.key)

    def view(self, pin: str, files: Iterable[ManifestFile]) -> Path:
        """Folder that shows pinned files under their names; it goes with the pin."""
        folder = self.folder / "views" / pin
        folder.mkdir()
        for file in files:
            (folder / file.name).symlink_to(Path("..", "..", "blobs", file.key))
        return folder

    @property
    def _pins(self) -> Path:
        return self.folder / "pins"

    @staticmethod
    def _owner() -> str:
        return f"{socket.gethostname()}-{os.getpid()}"

    def _books(self) -> FileLock:
        return FileLock(self.folder / "locks" / "books.lock")

    def _try_pin(self, pin: str, lock: FileLock, wanted: dict[str, int], name: str) -> bool:
        with self._books():
            self._sweep()
            if not self._make_room(wanted):
                return False
            lock.acquire()
            (self._pins / f"{pin}.json").write_text(json.dumps({"name": name, "files": wanted}), encoding="utf-8")
            for key in wanted:
                if (blob := self.folder / "blobs" / key).exists():
                    os.utime(blob)
            return True

    def _unpin(self, pin: str, lock: FileLock) -> None:
        with self._books():
            self._forget(pin)
            lock.release()
            (self._pins / f"{pin}.lock").unlink(missing_ok=True)

    def _forget(self, pin: str) -> None:
        (self._pins / f"{pin}.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "views" / pin, ignore_errors=True)

    def _sweep(self) -> None:
        """Forget pins of dead processes, and partial files that nobody has resumed for a day."""
        for path in self._pins.glob("*.json"):
            # Where locks belong to processes (NFS), trying one's own lock would succeed and then drop it.
            if path.name.startswith(f"{self._owner()}-"):
                continue
            lock = FileLock(path.with_suffix(".lock"))
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            self._forget(path.stem)
            lock.release()
            path.with_suffix(".lock").unlink(missing_ok=True)
        for key in _sizes(self.folder / "partial").keys() - self._pinned().keys():
            path = self.folder / "partial" / key
            if time.time() - path.stat().st_mtime > _ORPHAN_AGE_S:
                path.unlink()

    def _pinned(self) -> dict[str, int]:
        pinned: dict[str, int] = {}
        for path in self._pins.glob("*.json"):
            pinned.update(json.loads(path.read_text(encoding="utf-8"))["files"])
        return pinned

    def _held(self) -> _Held:
        return _Held(_sizes(self.folder / "blobs"), _sizes(self.folder / "partial"), self._pinned())

    def _make_room(self, wanted: dict[str, int]) -> bool:
        """Evict until the wanted files fit; evict nothing if they cannot."""
        held = self._held()
        after = _Held(held.blobs, held.partials, {**held.pinned, **wanted})
        excess = after.total - self.budget_bytes
        candidates = [self.folder / "partial" / key for key in held.partials if key not in after.pinned]
        idle = [self.folder / "blobs" / key for key in held.blobs if key not in after.pinned]
        candidates += sorted(idle, key=lambda path: path.stat().st_mtime_ns)
        if sum(path.stat().st_size for path in candidates) < excess:
            return False
        for path in candidates:
            if excess <= 0:
                break
            excess -= path.stat().st_size
            path.unlink()
        return True

    def _users(self) -> str:
        with self._books():
            names = [json.loads(path.read_text(encoding="utf-8"))["name"] for path in self._pins.glob("*.json")]
        return ", ".join(sorted(names)) or "nothing"


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes per file; a file that its owner completes meanwhile is left out, its pin stands for it."""
    sizes = {}
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            sizes[path.name] = path.stat().st_size
    return sizes
