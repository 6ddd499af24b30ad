"""Stage `summary`: the short table that a run ends with."""

import sys
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from rare_neurons.figures.findings import Findings, load_findings, unit_of
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.numerics.wording.phrases import interval, p_digits, several
from rare_neurons.numerics.wording.standing import FAILS, HOLDS, NOT_JUDGED, Standing
from rare_neurons.numerics.wording.words import describe
from rare_neurons.selection import Choice, read_joined
from rare_neurons.stages.introduction import write_introduction
from rare_neurons.stages.summary_activity import activity_sentences
from rare_neurons.stages.summary_layers import account_sentences, layer_sentences
from rare_neurons.tables import atomic_path, find_tables, read_metadata

_WIDTH = 118
_SAME = "that of the panel"  # the beginning of what `own_tokenizer` says of one that is


def write_summary(
    output: str,
    introduction: str,
    *,
    results: str,
    figures: str,
    subjects: Mapping[str, Sequence[str]],
    judged: bool = True,
) -> None:
    """Write, and print to stderr, the checkpoints done and quarantined, and what is known of each subject.

    Parameters
    ----------
    output : str
    introduction : str
        The same for Snakemake's report.
    results : str
        The results folder.
    figures : str
        Where a reader finds the figures.
    subjects : mapping
        Each subject's models.
    judged : bool
        Whether there is evidence: not where only spectra are measured.
    """
    asked = subjects if judged else ()
    found = [(subject, findings) for subject in asked for findings in load_findings(results, subject)]
    several_panels = len({findings.panel for _, findings in found}) > 1
    named = [(f"{name}, {one.panel}" if several_panels else name, one) for name, one in found]
    parts = [_checkpoints(results, subjects), *_sentences(named), *_of_layers(results, subjects)]
    parts += _of_activity(results, subjects)
    with atomic_path(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        _print(Console(file=file, width=_WIDTH), parts, figures)
    write_introduction(introduction, parts)
    _print(Console(file=sys.stderr, width=_WIDTH), parts, figures)


def _print(console: Console, parts: Sequence[RenderableType], figures: str) -> None:
    for part in parts:
        console.print(part)
    console.print(f"Figures: {figures}/")


def _sentences(found: Sequence[tuple[str, Findings]]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for place, findings in found:
        who = f"{several(findings.n_runs, 'run')}, {several(findings.n_controls, 'control')}"
        alone = "; one run says nothing of other seeds" if findings.n_runs == 1 else ""
        parts.append(Text(f"{place} ({who}{alone})", style="bold"))
        lines = Table.grid(padding=(0, 1))
        for standing in findings.questions:
            unit = unit_of(standing.about.table, standing.about.column)
            lines.add_row("•", Text(" ".join(describe(standing, findings.onsets, findings.turns, unit=unit))))
        parts += [lines, _tiers(place, findings)]
    return parts


def _of_layers(results: str, subjects: Mapping[str, Sequence[str]]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for subject, models in subjects.items():
        lines = Table.grid(padding=(0, 1))
        for sentence in (*layer_sentences(results, subject), *account_sentences(results, models)):
            lines.add_row("•", Text(sentence))
        if lines.row_count:
            parts += [Text(f"{subject}, all layers", style="bold"), lines]
    return parts


def _of_activity(results: str, subjects: Mapping[str, Sequence[str]]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for subject in subjects:
        lines = Table.grid(padding=(0, 1))
        for sentence in activity_sentences(results, subject):
            lines.add_row("•", Text(sentence))
        if lines.row_count:
            parts += [Text(f"{subject}, organisation and kinds of neurons", style="bold"), lines]
    return parts


def _checkpoints(results: str, subjects: Mapping[str, Sequence[str]]) -> Table:
    table = Table(title="Checkpoints", title_justify="left")
    for column in ("subject", "model", "done", "quarantined", "why"):
        table.add_column(column, justify="right" if column in ("done", "quarantined") else "left")
    for subject, models in subjects.items():
        for model in models:
            verdicts = read_joined(results, "integrity", Choice(model)).to_pylist()
            bad = [v for v in verdicts if v["quarantined"]]
            told = bad + [v for v in verdicts if v["status"] == "above_unigram"]
            why = "; ".join(f"step {v['step']}: {v['status']}" for v in told[:4]) + (" …" if len(told) > 4 else "")
            notes = "; ".join(note for note in (why, _own_tokenizer(results, model)) if note)
            table.add_row(subject, model, str(len(verdicts) - len(bad)), str(len(bad)), notes)
    return table


def _own_tokenizer(results: str, model: str) -> str | None:
    """Say of a model's last good checkpoint that its tokenizer is not the panel's, if so."""
    paths = [path for (_, _, owner, _), path in find_tables(results, "behaviour").items() if owner == model]
    said = (read_metadata(path).get("tokenizer") for path in reversed(paths))
    note = next((str(note) for note in said if note is not None), _SAME)
    return None if note.startswith(_SAME) else f"tokenizer: {note}"


def _tiers(place: str, findings: Findings) -> Table:
    words = f"{place}, by tier: {HOLDS} reached, {FAILS} not reached, {NOT_JUDGED} not judged; p is paid for"
    table = Table(title=Text(words), title_justify="left")
    for column in ("question", "tier", "", "change [interval]", "p", "why not"):
        table.add_column(Text(column), justify="right" if column == "p" else "left")
    for standing in findings.questions:
        later = [tier for tier in TIERS[1:] if tier in standing.beyond and len(standing.runs) > 1]
        asked = ("run", *later)
        for tier in asked:
            question = standing.question if tier == "run" else ""
            cells = (question, *_tier_row(standing, tier))
            table.add_row(*map(Text, cells), end_section=tier == asked[-1])
    return table


def _tier_row(standing: Standing, tier: str) -> tuple[str, str, str, str, str]:
    p = "" if (value := standing.p_value(tier)) is None else p_digits(value)
    return tier.replace("_", " "), standing.mark(tier), _change(standing, tier), p, standing.why_not(tier)


def _change(standing: Standing, tier: str) -> str:
    """Estimate with its interval; at tier `run`, where there are several, the number of runs."""
    n = len(standing.runs)
    if tier == "run" and n != 1:
        return f"in {len(standing.found)} of {n} runs"
    row = standing.runs[0] if tier == "run" else standing.beyond[tier]
    if row.estimate is None:
        return ""
    if row.scale == "log":
        return f"× {np.exp(row.estimate):.3g} {interval(row.low, row.high, scale='log')}"
    unit = standing.unit(tier, unit_of(standing.about.table, standing.about.column))
    return f"{row.estimate:+.2g} {interval(row.low, row.high, scale='linear')} {unit}".rstrip()
