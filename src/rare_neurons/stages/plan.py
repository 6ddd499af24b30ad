"""Stage `plan`: what a run would fetch and where it may stumble, from metadata alone."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from rare_neurons.checkpoints.plan import ModelPlan, Plan, plan_run
from rare_neurons.checkpoints.retry import Network
from rare_neurons.checkpoints.sources import resolve_steps
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.resolve import source_of

_GB = 1e9
_IMPATIENT = Network(attempts=2, first_wait_s=0.5, timeout_s=10.0)  # someone is waiting for the table


def print_plan(
    *, models: Mapping[str, Mapping[str, object]], steps: Mapping[str, Sequence[int]], cache: Mapping[str, object]
) -> None:
    """Print a table of models, checkpoints, duplicates, known-bad entries and bytes; nothing is downloaded.

    Parameters
    ----------
    models : mapping
        Section ``models`` of the configuration.
    steps : mapping
        Steps of each model.
    cache : mapping
        Section ``cache`` of the configuration.
    """
    console = Console(file=sys.stderr, width=118)
    manifests = []
    for name, entry in models.items():
        if entry["source"] == "pretrain":
            console.print(f"{name}: {len(steps[name])} checkpoints, trained here")
        else:
            manifests += resolve_steps(name, steps[name], source_of(entry, ""), network=_IMPATIENT)
    if not manifests:
        return
    place = cache_place(cache)
    blobs = place["cache_dir"] / "blobs"
    cached = {path.name for path in blobs.iterdir()} if blobs.is_dir() else set()
    plan = plan_run(manifests, budget_bytes=place["budget_bytes"], cached=cached)
    console.print(_table(plan))
    console.print(
        f"To fetch: {plan.fetch_bytes / _GB:.2f} GB. Disk at peak: {plan.peak_disk_bytes / _GB:.2f} GB "
        f"(cache.disk_gb: {cache['disk_gb']})."
    )
    for model, size in plan.too_large:
        console.print(f"{model}: its largest checkpoint takes {size / _GB:.2f} GB, more than cache.disk_gb; raise it")


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
            f"{model.fetch_bytes / _GB:.2f} GB",
        )
    return table


def _repeats(model: ModelPlan) -> str:
    """Steps that serve the same files, the first few."""
    sets = [("unchanged", s) for s in model.unchanged] + [("duplicates", s) for s in model.duplicates]
    parts = [f"{word} {', '.join(map(str, steps[:4]))}{' …' if len(steps) > 4 else ''}" for word, steps in sets[:3]]
    return "; ".join(parts) + (f"; {len(sets) - 3} more" if len(sets) > 3 else "")
