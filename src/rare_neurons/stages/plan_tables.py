"""A plan as tables for a reader, and as plain values for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table

from rare_neurons.checkpoints.plan import ModelPlan, Plan
from rare_neurons.stages.plan_panel import Size

if TYPE_CHECKING:
    from rare_neurons.stages.plan import Outlook

_GB = 1e9


def tables_of_plan(outlook: Outlook) -> Iterator[RenderableType]:
    """Yield tables and sentences in the order in which they are read."""
    if outlook.plan.models or outlook.trained:
        yield _models(outlook)
    yield from _warnings(outlook.plan)
    for name, sizes in outlook.panels.items():
        if sizes[0].reason is not None:
            yield f"panel {name} cannot be drawn: {sizes[0].reason}"
            continue
        yield _strata(name, sizes[0])
        yield _others(name, sizes, outlook.cost["other_panels"][name])
    if outlook.tiers:
        yield _tiers(outlook)
    yield from outlook.warnings
    yield from _cost(outlook)


def as_record(outlook: Outlook) -> dict[str, object]:
    """Return plain values: what the tables say, unrounded."""
    panels = {
        name: [{**asdict(size), "cost_ratio": outlook.cost["other_panels"][name].get(size.change)} for size in sizes]
        for name, sizes in outlook.panels.items()
    }
    cost = {key: value for key, value in outlook.cost.items() if key != "other_panels"}
    return {
        **asdict(outlook.plan),
        "trained_here": dict(outlook.trained),
        "quarantined": {model: dict(found) for model, found in outlook.verdicts.items()},
        "panels": panels,
        "tiers": [asdict(one) for one in outlook.tiers],
        "warnings": list(outlook.warnings),
        "cost": cost,
    }


def _models(outlook: Outlook) -> Table:
    table = Table(title="Checkpoints", title_justify="left")
    for column in ("model", "asked for", "usable", "same files", "reported bad", "to fetch", "core-seconds"):
        table.add_column(column, justify="left" if column in ("model", "same files") else "right")
    cost: Mapping[str, float] = outlook.cost["models"]
    for name, n in outlook.trained.items():
        usable = f"{n - len(outlook.verdicts[name])}" if name in outlook.verdicts else "trained here"
        table.add_row(name, str(n), usable, "", "", "", f"about {_about(cost.get(name))}")
    for model in outlook.plan.models:
        bad = {*(step for step, _ in model.faulty), *outlook.verdicts.get(model.model, ())}
        cells = (_repeats(model), str(len(model.reported)), _bytes(model.fetch_bytes))
        usable = str(model.n_checkpoints - len(bad))
        table.add_row(model.model, str(model.n_checkpoints), usable, *cells, f"about {_about(cost.get(model.model))}")
    for model, found in outlook.verdicts.items():
        if found:
            counts = Counter(found.values())
            why = ", ".join(f"{n} {status}" for status, n in counts.items())
            table.caption = f"{table.caption or ''}{model}: quarantined by an earlier run: {why}. "
    return table


def _repeats(model: ModelPlan) -> str:
    """Return the steps that serve the same files, the first few."""
    sets = [("unchanged", s) for s in model.unchanged] + [("duplicates", s) for s in model.duplicates]
    parts = [f"{word} {', '.join(map(str, steps[:4]))}{' …' if len(steps) > 4 else ''}" for word, steps in sets[:3]]
    return "; ".join(parts) + (f"; {len(sets) - 3} more" if len(sets) > 3 else "")


def _warnings(plan: Plan) -> list[str]:
    """Faulty steps with their reasons, and public reports with their sources."""
    lines = [
        f"{model}: its largest checkpoint takes {_bytes(size)}, more than cache.disk_gb; raise it"
        for model, size in plan.too_large
    ]
    for model in plan.models:
        lines += [f"{model.model} step {step}: {reason}" for step, reason in model.faulty[:3]]
        if model.n_faulty > 3:
            lines.append(f"{model.model}: {model.n_faulty - 3} more faulty steps")
        counts = Counter(report for _, report in model.reported)
        lines += [f"{model.model}, {n} steps: {r.fault} ({r.source}); they will be checked" for r, n in counts.items()]
    return lines


def _strata(name: str, size: Size) -> Table:
    table = Table(title=f"Panel {name}: {size.n_contexts:,} contexts, {size.n_targets:,} targets", title_justify="left")
    columns = ("stratum", "types", "share of text", "targets", "effective documents", "effective types", "")
    for column in columns:
        table.add_column(column, justify="left" if column in ("stratum", "") else "right")
    for row in size.strata:
        counts = (f"{row.vocabulary_types:,}", f"{row.training_mass:.1%}", f"{row.n_targets:,}")
        effective = (f"{row.n_documents_effective:.0f}", f"{row.n_types_effective:.0f}")
        table.add_row(row.stratum, *counts, *effective, row.reason or "")
    return table


def _others(name: str, sizes: Sequence[Size], cost: Mapping[str, float]) -> Table:
    own = sizes[0]
    title = f"Panel {name}, another size: standard errors by stratum and cost of the run, each over that above (about)"
    table = Table(title=title, title_justify="left")
    table.add_column("instead")
    for column in ("contexts", "targets", *(f"error, {row.stratum}" for row in own.strata), "cost"):
        table.add_column(column, justify="right")
    for size in sizes[1:]:
        if size.reason is not None:
            table.add_row(size.change, "not to be had")
            continue
        errors = (f"× {size.errors[row.stratum]:.2f}" for row in own.strata)
        cells = (f"{size.n_contexts:,}", f"{size.n_targets:,}", *errors, f"× {cost[size.change]:.2f}")
        table.add_row(size.change, *cells)
    lacking = {size.reason for size in sizes[1:] if size.reason is not None}
    if lacking:
        table.caption = "Not to be had: " + "; ".join(sorted(lacking))
    return table


def _tiers(outlook: Outlook) -> Table:
    table = Table(title="Evidence within reach, if no further checkpoint is bad", title_justify="left")
    for column in ("subject", "runs", "controls", "usable", "tiers", "to go further"):
        table.add_column(column, justify="right" if column in ("runs", "controls", "usable") else "left")
    for one in outlook.tiers:
        said = ", ".join(one.tiers).replace("_", " ") or "none"
        table.add_row(one.subject, str(one.n_runs), str(one.n_controls), str(one.n_checkpoints), said, one.more)
    return table


def _cost(outlook: Outlook) -> Iterator[str]:
    plan, cost = outlook.plan, outlook.cost
    if plan.models:
        yield (
            f"To fetch: {_bytes(plan.fetch_bytes)}. Disk at peak: {_bytes(plan.peak_disk_bytes)} "
            f"(cache.disk_gb: {outlook.disk_gb:g})."
        )
    stages: Mapping[str, float] = cost["core_seconds"]
    if not stages:
        return
    largest = sorted(stages.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{stage} {_about(seconds)}" for stage, seconds in largest)
    where = "" if str(cost["device"]).startswith("cpu") else f"; on {cost['device']} probes take less"
    yield (
        f"Cost: about {_about(sum(stages.values()))} core-seconds ({parts}) at {cost['gflops']:.0f} GFLOP/s of one core"
        f"{where}. Results: about {_bytes(float(cost['results_bytes']))}."
    )
    if cost["unknown"]:
        yield f"Not in it: {', '.join(cost['unknown'])}, of which no checkpoint is good."


def _about(seconds: float | None) -> str:
    """Two digits: more are not known."""
    return "?" if seconds is None else f"{float(f'{seconds:.2g}'):,.0f}"


def _bytes(size: float) -> str:
    return f"{size / _GB:.2f} GB" if size >= 1e8 else f"{size / 1e6:.2f} MB"
