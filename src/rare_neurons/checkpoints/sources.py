"""From a model and a step to a manifest, for weights in local folders and on the Hub."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rare_neurons.checkpoints.digests import file_sha256
from rare_neurons.checkpoints.files import check_regular, regular_names
from rare_neurons.checkpoints.layout import is_weight_file, needed_files, what_is_absent
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.errors import DataFault, RequestError

if TYPE_CHECKING:  # the Hub's client takes a tenth of a second that local sources need not pay
    from rare_neurons.checkpoints.retry import Network

_KINDS = ("folder", "hub")
_FIELD = "{step}"


@dataclass(frozen=True)
class Source:
    """Where the checkpoints of one model are.

    Attributes
    ----------
    kind : {"folder", "hub"}
        Local folders, or revisions of a Hub repository.
    location : str
        For ``"folder"`` a path with ``{step}`` (``runs/x/step{step}``, ``runs/x/checkpoint-{step}``), for ``"hub"``
        the repository (``EleutherAI/pythia-160m``).
    revision : str
        Hub only: reference with ``{step}``; ``*`` stands for any text (``stage1-step{step}-*``).
    endpoint : str or None
        Hub only: address of the Hub where it is not the client's default.
    """

    kind: str
    location: str
    revision: str = "step{step}"
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Refuse an unknown kind, and a template from which no step can be read."""
        if self.kind not in _KINDS:
            raise RequestError(f"unknown source '{self.kind}'; known: {', '.join(_KINDS)}")
        template = self.location if self.kind == "folder" else self.revision
        if template.count(_FIELD) != 1:
            raise RequestError(
                f"source '{template}' must contain {{step}} exactly once, for example 'run/step{{step}}'"
            )
        if self.kind == "folder" and _FIELD not in Path(self.location).name:
            raise RequestError(f"source '{self.location}' must have {{step}} in its last folder name")

    def folder(self, step: int) -> Path:
        """Folder of a step of a local source."""
        return Path(self.location.replace(_FIELD, str(step)))


def check_local(source: Source, steps: Iterable[int]) -> None:
    """Check that the folder of every asked step exists; reads no file.

    Raises
    ------
    RequestError
        Naming the first missing folder, the steps that are there, and what to do.
    """
    missing = [step for step in steps if not source.folder(step).is_dir()]
    if missing:
        found = local_steps(source)
        raise RequestError(
            f"no folder {source.folder(missing[0])} for step {missing[0]} ({len(missing)} steps missing); "
            f"steps found there: {', '.join(map(str, found)) if found else 'none'}. "
            "Correct the source's path or the list of steps in the configuration"
        )


def found_steps(source: Source) -> tuple[int, ...]:
    """Return the steps that a local source has folders for, ascending; there is at least one.

    Raises
    ------
    RequestError
        Naming the pattern, what lies there instead, and what to do.
    """
    found = local_steps(source)
    if not found:
        parent = Path(source.location).parent
        names = sorted(path.name for path in parent.iterdir()) if parent.is_dir() else []
        there = f"{', '.join(names[:5]) or 'nothing'}{' …' if len(names) > 5 else ''}"
        raise RequestError(
            f"steps: found, but no folder {source.location} has a number for {_FIELD}; {parent} holds {there}. "
            "Correct the path in the configuration"
        )
    return found


def local_steps(source: Source) -> tuple[int, ...]:
    """List the steps that a local source has folders for, ascending."""
    template = Path(source.location)
    before, after = template.name.split(_FIELD)
    # A step as it is written into a path: step07 is no folder of step 7. One of more digits fits no column.
    pattern = re.compile(re.escape(before) + r"(0|[1-9][0-9]{0,17})" + re.escape(after))
    if not template.parent.is_dir():
        return ()
    matches = (pattern.fullmatch(path.name) for path in template.parent.iterdir() if path.is_dir())
    return tuple(sorted(int(match[1]) for match in matches if match))


def resolve(
    model: str, step: int, source: Source, *, folder: Path | None = None, network: "Network | None" = None
) -> Manifest:
    """Describe one checkpoint: files, sizes and sha256, without opening the weights.

    Local files are hashed once here; for the Hub the digests come with the listing and nothing is downloaded.
    `folder` is where the files of a local source lie at the moment, where that is not at its location.

    Raises
    ------
    RequestError
        If the local folder or the Hub repository does not exist.
    HubUnreachable
        If the network fails for good.
    """
    if folder is not None:
        return _resolve_folder(model, step, source, folder)
    return resolve_steps(model, (step,), source, network=network)[0]


def resolve_steps(
    model: str,
    steps: Iterable[int],
    source: Source,
    *,
    threads: int = 8,
    network: "Network | None" = None,
) -> tuple[Manifest, ...]:
    """As `resolve`, for many steps at once, in threads where the Hub is asked."""
    steps = tuple(steps)
    if source.kind == "folder":
        check_local(source, steps)
        return tuple(_resolve_folder(model, step, source, source.folder(step)) for step in steps)
    from rare_neurons.checkpoints.hub import HubListing

    listing = HubListing(source.location, template=source.revision, endpoint=source.endpoint, network=network)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return tuple(pool.map(lambda step: listing.manifest(model, step), steps))


def regular_files(folder: Path) -> tuple[str, ...]:
    """Names of the needed files of a local checkpoint that are regular files: nothing waits at a pipe."""
    return regular_names(folder, needed_files(path.name for path in folder.iterdir()))


def _resolve_folder(model: str, step: int, source: Source, folder: Path) -> Manifest:
    from rare_neurons.checkpoints.tensors import check_weights  # NumPy, which listing steps needs not

    location = str(source.folder(step))
    names = needed_files(path.name for path in folder.iterdir())
    try:
        for name in names:
            check_regular(folder / name)
        check_weights(folder)
    except DataFault as fault:
        # No digest of what nobody will read: a file that only claims its size may take hours.
        complete = any(map(is_weight_file, names)) and what_is_absent(names) is None
        status = "corrupt" if complete else "missing"
        return Manifest(model, step, "folder", location, status=status, reason=str(fault))
    files = tuple(ManifestFile(name, (folder / name).stat().st_size, file_sha256(folder / name)) for name in names)
    return Manifest(model, step, "folder", location, files=files)
