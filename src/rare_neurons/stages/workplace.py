"""Where a job works: nothing here is a parameter of what is measured."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Workplace:
    """Cache, threads and folders of a job.

    Attributes
    ----------
    cache : mapping
        Section ``cache`` of the configuration.
    threads : int
    placement : mapping or None
        Where weights go that do not fit the device (``probe.placement``).
    results : str or None
        Folder in which finished tables are kept.
    """

    cache: Mapping[str, object]
    threads: int = 1
    placement: Mapping[str, object] | None = None
    results: str | None = None
