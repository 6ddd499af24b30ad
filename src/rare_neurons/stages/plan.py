"""Stage `plan`: what a run would fetch, measure, cost and be able to say, from metadata and text alone."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console

from rare_neurons.checkpoints.listed import keep_listed
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.plan import Plan, plan_run
from rare_neurons.checkpoints.sources import resolve_steps
from rare_neurons.configuration.claims import out_of_reach, too_few_sets
from rare_neurons.configuration.needed import measures_influence
from rare_neurons.selection import Choice, read_joined
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.plan_cost import Declared, cost_of_run
from rare_neurons.stages.plan_panel import Size, Text, panel_sizes
from rare_neurons.stages.plan_strata import strata_tables
from rare_neurons.stages.plan_tables import as_record, tables_of_plan
from rare_neurons.stages.plan_tiers import Reach, reach_of
from rare_neurons.stages.resolve import listing_folder, metadata_patience, source_of

Section = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Request:
    """What a plan looks at.

    Attributes
    ----------
    config : mapping
        The complete configuration.
    tokenizers : mapping
        Paths of the tokenizers that are there already.
    texts : mapping
        Of each panel whose corpus is there already, paths of its ``tokens`` and ``unigram``.
    declared : mapping
        Of each model: checkpoints of a job (``in_a_job``) and numbers of declared ``layers``, ``intervals``,
        ``activity``.
    judged : sequence of str
        Models whose verdicts are there already, from an earlier run.
    whole : bool
        Whether all that is asked for is planned, or some checkpoints of it alone: then nothing is said of tiers,
        panels and other costs.
    """

    config: Mapping[str, Section]
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    declared: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    judged: Sequence[str] = ()
    whole: bool = True


@dataclass(frozen=True)
class Outlook:
    """All that a plan says.

    Attributes
    ----------
    plan : Plan
        Of checkpoints that have manifests.
    trained : mapping of str to int
        Checkpoints of models that are trained here.
    verdicts : mapping
        Of each model with verdicts of an earlier run: steps that are quarantined, and why.
    disk_gb : float
        Budget of the cache.
    panels : mapping of str to sequence of Size
        Each panel as it will be drawn, then what could be had instead; empty where its text is not there yet.
    tiers : sequence of Reach
    warnings : sequence of str
        What is measured and can become no claim.
    cost : dict
        As `plan_cost.cost_of_run`.
    """

    plan: Plan
    trained: Mapping[str, int]
    verdicts: Mapping[str, Mapping[int, str]]
    disk_gb: float
    panels: Mapping[str, Sequence[Size]]
    tiers: Sequence[Reach]
    warnings: Sequence[str]
    cost: Mapping[str, object]


def print_plan(
    request: Request, *, steps: Mapping[str, Sequence[int]], as_json: bool = False, file: TextIO | None = None
) -> None:
    """Print models, checkpoints, strata, tiers and costs; nothing is downloaded.

    What the Hub tells is kept for the jobs of the run.

    Parameters
    ----------
    request : Request
    steps : mapping
        Steps of each model to plan; a model without steps is left out.
    as_json : bool
        Whether one JSON object is printed instead of tables.
    file : TextIO, optional
        Where to; standard output by default.

    Raises
    ------
    RequestError
        If there is no such repository or folder.
    HubUnreachable
        If the Hub cannot be reached.
    """
    outlook = look_ahead(request, steps)
    if as_json:
        print(json.dumps(as_record(outlook), indent=1), file=file)
        return
    console = Console(file=file or sys.stdout, width=118, highlight=False)
    for part in tables_of_plan(outlook):
        console.print(part)
    if request.whole:
        panels = request.config.get("panels", {})
        unread = {name: one for name, one in panels.items() if name not in request.texts}
        for name in unread:
            console.print(
                f"panel {name}: effective numbers are known once its text is here: "
                f"rare-neurons run -- {request.config['results']}/panel/{name}/strata.parquet"
            )
        for table in strata_tables(unread, request.config["corpora"], request.tokenizers):
            console.print(table)


def look_ahead(request: Request, steps: Mapping[str, Sequence[int]]) -> Outlook:
    """Find out what a plan says; see `print_plan`."""
    config = request.config
    models = config["models"]
    manifests = [one for name, wanted in steps.items() for one in _manifests(name, wanted, config)]
    place = cache_place(config["cache"])
    blobs = place["cache_dir"] / "blobs"
    cached = {path.name for path in blobs.iterdir()} if blobs.is_dir() else set()
    panels = _panels(request) if request.whole else {}
    declared = Declared(
        config,
        steps={name: len(found) for name, found in steps.items()},
        more=request.declared,
        tokenizers=request.tokenizers,
        drawn={name: (int(sizes[0].n_contexts), sizes[0].n_targets) for name, sizes in panels.items() if _there(sizes)},
    )
    judged = request.whole and bool(config.get("panels")) and measures_influence(config)
    verdicts = {
        name: {step: why for step, why in _verdicts(str(config["results"]), name).items() if step in set(steps[name])}
        for name in request.judged
        if name in steps
    }
    bad = {(one.model, one.step) for one in manifests if one.status != "ok"}
    bad |= {(name, step) for name, found in verdicts.items() for step in found}
    usable = {name: [step for step in found if (name, step) not in bad] for name, found in steps.items()}
    return Outlook(
        plan=plan_run(manifests, budget_bytes=place["budget_bytes"], cached=cached),
        trained={name: len(found) for name, found in steps.items() if models[name]["source"] == "pretrain"},
        verdicts=verdicts,
        disk_gb=float(config["cache"]["disk_gb"]),
        panels=panels,
        tiers=reach_of(models, config["evidence"], usable) if judged else (),
        warnings=_no_claims(config, usable) if judged else (),
        cost=cost_of_run(declared, manifests, panels=panels, whole=request.whole),
    )


def _no_claims(config: Mapping[str, Section], steps: Mapping[str, Sequence[int]]) -> list[str]:
    # Refused already where the configuration says the steps; found ones are known here alone.
    return [*too_few_sets(config, steps), *out_of_reach(config, steps)]


def _there(sizes: Sequence[Size]) -> bool:
    return bool(sizes) and sizes[0].reason is None


def _manifests(name: str, wanted: Sequence[int], config: Mapping[str, Section]) -> Sequence[Manifest]:
    entry = config["models"][name]
    if entry["source"] == "pretrain":
        return ()
    source = source_of(entry, "")
    patience = metadata_patience() if source.kind == "hub" else None
    found = resolve_steps(name, wanted, source, network=patience)
    if source.kind == "hub":
        keep_listed(listing_folder(config["cache"]), source, found)
    return found


def _panels(request: Request) -> dict[str, list[Size]]:
    found = {}
    for name, text in request.texts.items():
        panel = request.config["panels"][name]
        settings = {key: value for key, value in panel.items() if key not in ("corpus", "tokenizer")}
        found[name] = list(panel_sizes(name, settings, Text(**text)))
    return found


def _verdicts(results: str, model: str) -> dict[int, str]:
    rows = read_joined(results, "integrity", Choice(model)).to_pylist()
    return {row["step"]: row["status"] for row in rows if row["quarantined"]}
