"""Weights inside a job: fetched if absent, verified, pinned while in use, within the disk budget."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rare_neurons.checkpoints.fetch import fetch_file
from rare_neurons.checkpoints.hub_cache import cached_snapshot
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.retry import HubUnreachable, Network, Stopped
from rare_neurons.checkpoints.store import Store
from rare_neurons.checkpoints.verify import verify_folder
from rare_neurons.errors import DataFault, RequestError


@contextmanager
def open_weights(
    manifest: Manifest,
    *,
    cache_dir: Path,
    budget_bytes: int,
    folder: Path | None = None,
    ahead: Sequence[Manifest] = (),
    network: Network | None = None,
    hub_cache: Path | None = None,
) -> Iterator[Path]:
    """Yield a folder with the checkpoint's files, verified and kept while the context lasts.

    A local folder, or a revision in the Hub client's own cache, is read in place and never changed.

    Parameters
    ----------
    manifest : Manifest
        As `resolve` gave it.
    cache_dir : Path
        Managed cache, shared by all jobs.
    budget_bytes : int
        Disk that fetched files may take in `cache_dir`, all jobs together.
    folder : Path, optional
        Where the files of a local checkpoint lie for this process, where that is not at the manifest's location.
    ahead : sequence of Manifest
        Checkpoints to fetch in the background meanwhile, as far as the budget allows; what is not finished when the
        context ends is resumed by whoever opens it.
    network : Network, optional
        Patience with the network.
    hub_cache : Path, optional
        The Hub client's own cache, where not its default.

    Raises
    ------
    DataFault
        If the manifest's status is not ``"ok"``, or the bytes are not those of the manifest.
    HubUnreachable
        If a file must be fetched and the network fails for good.
    RequestError
        If the checkpoint alone exceeds the budget.
    """
    network = network or Network()
    if manifest.status != "ok":
        raise DataFault(manifest.reason)
    found = _in_place(manifest, Path(cache_dir), hub_cache, folder)
    with ExitStack() as stack:
        if found is None:
            store = Store(cache_dir, budget_bytes)
            pin = stack.enter_context(store.pin(manifest))
            _fetch_all(store, manifest, network)
            found = store.view(pin, manifest.files)
        if ahead:
            stack.enter_context(_fetching(ahead, Path(cache_dir), budget_bytes, network, hub_cache))
        yield found


@dataclass(frozen=True)
class Prefetched:
    """What `prefetch` did, as (model, step): on disk now, left out for lack of room, and faulty with the reason."""

    ready: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, int], ...]
    faulty: tuple[tuple[str, int, str], ...]


def prefetch(
    manifests: Sequence[Manifest],
    *,
    cache_dir: Path,
    budget_bytes: int,
    network: Network | None = None,
    hub_cache: Path | None = None,
) -> Prefetched:
    """Fetch checkpoints in order, as many as fit the budget together; none evicts another.

    For clusters whose compute nodes have no network: run it where there is one.

    Raises
    ------
    HubUnreachable
        If the network fails for good; what was fetched stays.
    """
    network = network or Network()
    ready, left_out, faulty = [], [], []
    with ExitStack() as stack:
        for manifest in manifests:
            name = (manifest.model, manifest.step)
            try:
                if manifest.status != "ok":
                    raise DataFault(manifest.reason)
                if _in_place(manifest, Path(cache_dir), hub_cache) is None:
                    store = Store(cache_dir, budget_bytes)
                    if stack.enter_context(store.pin(manifest, wait=False)) is None:
                        left_out.append(name)
                        continue
                    _fetch_all(store, manifest, network)
                ready.append(name)
            except DataFault as fault:
                faulty.append((*name, str(fault)))
    return Prefetched(tuple(ready), tuple(left_out), tuple(faulty))


def _in_place(manifest: Manifest, cache_dir: Path, hub_cache: Path | None, folder: Path | None = None) -> Path | None:
    """Return a verified folder to read where it is, or None if the managed cache must provide one."""
    stamps = cache_dir / "verified"
    if manifest.source == "folder":
        folder = Path(manifest.location) if folder is None else Path(folder)
        verify_folder(folder, manifest, stamps=stamps)
        return folder
    snapshot = cached_snapshot(manifest, hub_cache)
    if snapshot is None:
        return None
    try:
        verify_folder(snapshot, manifest, stamps=stamps)
    except DataFault as fault:
        print(f"{fault}: not used, fetched anew beside it", file=sys.stderr)
        return None
    return snapshot


def _fetch_all(store: Store, manifest: Manifest, network: Network, stop: threading.Event | None = None) -> None:
    for file in manifest.files:
        store.ensure(file, lambda partial, file=file: fetch_file(manifest, file, partial, network=network, stop=stop))


@contextmanager
def _fetching(
    manifests: Sequence[Manifest], cache_dir: Path, budget_bytes: int, network: Network, hub_cache: Path | None
) -> Iterator[None]:
    """Fetch in a thread while the context lasts."""
    stop = threading.Event()

    def work() -> None:
        for manifest in manifests:
            if stop.is_set():
                return
            try:
                if manifest.status != "ok" or _in_place(manifest, cache_dir, hub_cache) is not None:
                    continue
                store = Store(cache_dir, budget_bytes)
                with store.pin(manifest, wait=False) as pin:
                    if pin is None:
                        return
                    _fetch_all(store, manifest, network, stop)
            except Stopped:
                return
            except (DataFault, HubUnreachable, RequestError, OSError) as error:
                # Told here, and met again by the job that needs the checkpoint.
                print(f"fetching ahead: {error}", file=sys.stderr)
                return

    thread = threading.Thread(target=work, name="fetch-ahead", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
