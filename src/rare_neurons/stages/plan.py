"""Stage `plan`: what a run would fetch and where it may stumble, from metadata alone."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from rare_neurons.checkpoints.listed import keep_listed
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.plan import ModelPlan, Plan, plan_run
from rare_neurons.checkpoints.sources import resolve_steps
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.plan_strata import strata_tables
from rare_neurons.stages.plan_tiers import tiers_table
from rare_neurons.stages.plan_work import estimate_work
from rare_neurons.stages.resolve import listing_folder, metadata_patience, source_of

_GB = 1e9
Section = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Request:
    """Sections of the configuration that a plan looks at, and the tokenizers that are there already, as paths.

    `evidence` is None where nothing is said of tiers: only spectra are measured, or only some checkpoints are planned.
    """

    models: Section
    panels: Section
    corpora: Section
    cache: Mapping[str, object]
    probe: Mapping[str, object]
    tokenizers: Mapping[str, str]
    evidence: Mapping[str, object] | None = None


def print_plan(request: Request, *, steps: Mapping[str, Sequence[int]]) -> None:
    """Print models, checkpoints, duplicates, known-bad entries, bytes, strata and tiers; nothing is downloaded.

    What the Hub tells is kept for the jobs of the run.

    Parameters
    ----------
    request : Request
    steps : mapping
        Steps of each model to plan; a model without steps is left out.

    Raises
    ------
    RequestError
        If there is no such repository or folder.
    HubUnreachable
        If the Hub cannot be reached.
    """
    console = Console(file=sys.stderr, width=118, highlight=False)
    manifests: list[Manifest] = []
    for name, wanted in steps.items():
        entry = request.models[name]
        if entry["source"] == "pretrain":
            console.print(f"{name}: {len(wanted)} checkpoints, trained here")
            continue
        source = source_of(entry, "")
        patience = metadata_patience() if source.kind == "hub" else None
        found = resolve_steps(name, wanted, source, network=patience)
        if source.kind == "hub":
            keep_listed(listing_folder(request.cache), source, found)
        manifests += found
    if manifests:
        _print_models(console, manifests, request)
    for table in strata_tables(request.panels, request.corpora, request.tokenizers):
        console.print(table)
    if request.evidence is not None:
        console.print(tiers_table(request.models, request.evidence, steps))


def _print_models(console: Console, manifests: Sequence[Manifest], request: Request) -> None:
    place = cache_place(request.cache)
    blobs = place["cache_dir"] / "blobs"
    cached = {path.name for path in blobs.iterdir()} if blobs.is_dir() else set()
    plan = plan_run(manifests, budget_bytes=place["budget_bytes"], cached=cached)
    console.print(_table(plan))
    fetch, peak = _bytes(plan.fetch_bytes), _bytes(plan.peak_disk_bytes)
    console.print(f"To fetch: {fetch}. Disk at peak: {peak} (cache.disk_gb: {request.cache['disk_gb']}).")
    console.print(estimate_work(manifests, request.models, request.panels, str(request.probe["device"])))
    for model, size in plan.too_large:
        console.print(f"{model}: its largest checkpoint takes {_bytes(size)}, more than cache.disk_gb; raise it")
    for line in _warnings(plan):
        console.print(line)


def _table(plan: Plan) -> Table:
    table = Table(title="Plan", title_justify="left")
    for column in ("model", "checkpoints", "faulty", "same files", "reported bad", "to fetch"):
        table.add_column(column, justify="left" if column in ("model", "same files") else "right")
    for model in plan.models:
        table.add_row(
            model.model,
            str(model.n_checkpoints),
            str(model.n_faulty),
            _repeats(model),
            str(len(model.reported)),
            _bytes(model.fetch_bytes),
        )
    return table


def _repeats(model: ModelPlan) -> str:
    """Return the steps that serve the same files, the first few."""
    sets = [("unchanged", s) for s in model.unchanged] + [("duplicates", s) for s in model.duplicates]
    parts = [f"{word} {', '.join(map(str, steps[:4]))}{' …' if len(steps) > 4 else ''}" for word, steps in sets[:3]]
    return "; ".join(parts) + (f"; {len(sets) - 3} more" if len(sets) > 3 else "")


def _warnings(plan: Plan) -> list[str]:
    """Faulty steps with their reasons, and public reports with their sources."""
    lines = []
    for model in plan.models:
        lines += [f"{model.model} step {step}: {reason}" for step, reason in model.faulty[:3]]
        if model.n_faulty > 3:
            lines.append(f"{model.model}: {model.n_faulty - 3} more faulty steps")
        counts = Counter(report for _, report in model.reported)
        lines += [f"{model.model}, {n} steps: {r.fault} ({r.source}); they will be checked" for r, n in counts.items()]
    return lines


def _bytes(size: int) -> str:
    return f"{size / _GB:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"
