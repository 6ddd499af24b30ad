"""The managed cache as the configuration names it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict


class CachePlace(TypedDict):
    """Keyword arguments of `open_weights` and `prefetch`."""

    cache_dir: Path
    budget_bytes: int


def cache_place(cache: Mapping[str, object]) -> CachePlace:
    """Return folder and budget (10⁹ bytes a GB) from section ``cache`` of the configuration."""
    return {"cache_dir": Path(str(cache["folder"])), "budget_bytes": int(float(cache["disk_gb"]) * 1e9)}
