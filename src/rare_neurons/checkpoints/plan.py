"""What a run will fetch and where it may stumble, from manifests alone: nothing is downloaded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from rare_neurons.checkpoints.known_bad import Report, reports_on
from rare_neurons.checkpoints.manifest import Manifest


@dataclass(frozen=True)
class ModelPlan:
    """One row of the plan.

    Attributes
    ----------
    model : str
        Name of the model.
    n_checkpoints, n_faulty : int
        Asked for, and of these without a good manifest.
    faulty : tuple of (int, str)
        Their steps and reasons.
    unchanged : tuple of tuples of int
        Runs of adjacent steps that serve the same files.
    duplicates : tuple of tuples of int
        Steps that serve the same files without being adjacent.
    reported : tuple of (int, Report)
        Steps on the list of known bad revisions.
    total_bytes : int
        Of all checkpoints, each counted by itself.
    fetch_bytes : int
        Left to fetch: each content once, local folders and what the cache holds not at all.
    largest_bytes : int
        Largest checkpoint that comes through the cache.
    """

    model: str
    n_checkpoints: int
    n_faulty: int
    faulty: tuple[tuple[int, str], ...]
    unchanged: tuple[tuple[int, ...], ...]
    duplicates: tuple[tuple[int, ...], ...]
    reported: tuple[tuple[int, Report], ...]
    total_bytes: int
    fetch_bytes: int
    largest_bytes: int


@dataclass(frozen=True)
class Plan:
    """The whole run.

    Attributes
    ----------
    models : tuple of ModelPlan
        In the order of the manifests.
    fetch_bytes : int
        Left to fetch, content shared by models counted once.
    peak_disk_bytes : int
        Most that the cache will hold: the budget, or everything if that is less.
    too_large : tuple of (str, int)
        Models whose largest checkpoint exceeds the budget, with its bytes: the run would stop there.
    """

    models: tuple[ModelPlan, ...]
    fetch_bytes: int
    peak_disk_bytes: int
    too_large: tuple[tuple[str, int], ...]


def plan_run(manifests: Sequence[Manifest], *, budget_bytes: int, cached: Collection[str] = ()) -> Plan:
    """Plan a run.

    Parameters
    ----------
    manifests : sequence of Manifest
        Of all models and steps.
    budget_bytes : int
        Disk budget of the managed cache.
    cached : collection of str
        Content keys that the cache holds already (names of the files in its ``blobs``).
    """
    by_model: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        by_model.setdefault(manifest.model, []).append(manifest)
    models = tuple(_plan_model(model, group, cached) for model, group in by_model.items())
    everything = _contents(manifests)
    return Plan(
        models=models,
        fetch_bytes=sum(size for key, size in everything.items() if key not in cached),
        peak_disk_bytes=min(budget_bytes, sum(everything.values())),
        too_large=tuple((row.model, row.largest_bytes) for row in models if row.largest_bytes > budget_bytes),
    )


def _plan_model(model: str, manifests: list[Manifest], cached: Collection[str]) -> ModelPlan:
    manifests = sorted(manifests, key=lambda manifest: manifest.step)
    good = [manifest for manifest in manifests if manifest.status == "ok"]
    unchanged, duplicates = _repeats(good)
    reports = [(m.step, report) for m in manifests for report in reports_on(m.location, m.revision)]
    return ModelPlan(
        model=model,
        n_checkpoints=len(manifests),
        n_faulty=len(manifests) - len(good),
        faulty=tuple((m.step, m.reason or m.status) for m in manifests if m.status != "ok"),
        unchanged=unchanged,
        duplicates=duplicates,
        reported=tuple(reports),
        total_bytes=sum(m.size for m in good),
        fetch_bytes=sum(size for key, size in _contents(good).items() if key not in cached),
        largest_bytes=max((m.size for m in good if m.source == "hub"), default=0),
    )


def _contents(manifests: Sequence[Manifest]) -> dict[str, int]:
    """Bytes per content that comes through the cache."""
    fetched = (m for m in manifests if m.status == "ok" and m.source == "hub")
    return {file.key: file.size for manifest in fetched for file in manifest.files}


def _repeats(good: list[Manifest]) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Blocks of adjacent equal steps; and per content in more than one block, all its steps."""
    blocks = [tuple(m.step for m in block) for _, block in groupby(good, key=lambda m: m.weights_digest)]
    digest_of = {m.step: m.weights_digest for m in good}
    by_digest: dict[str, list[tuple[int, ...]]] = {}
    for block in blocks:
        by_digest.setdefault(digest_of[block[0]], []).append(block)
    several = tuple(tuple(step for block in group for step in block) for group in by_digest.values() if len(group) > 1)
    return tuple(block for block in blocks if len(block) > 1), several
