"""Stage `summary`: the short table that a run ends with."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from rare_neurons.results import load_integrity, load_timeline
from rare_neurons.tables import atomic_path


def write_summary(output: str, *, results: str, subjects: Mapping[str, Sequence[str]]) -> None:
    """Write, and print to stderr, the checkpoints done and quarantined per model, onsets per subject.

    Parameters
    ----------
    output : str
    results : str
        The results folder.
    subjects : mapping
        Each subject's models.
    """
    tables = [_checkpoints(results, subjects), _onsets(results, subjects)]
    with atomic_path(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        _print(Console(file=file, width=118), tables, f"{results}/figures")
    _print(Console(file=sys.stderr, width=118), tables, f"{results}/figures")


def _print(console: Console, tables: Sequence[Table], figures: str) -> None:
    for table in tables:
        console.print(table)
    console.print(f"Figures: {figures}/")


def _checkpoints(results: str, subjects: Mapping[str, Sequence[str]]) -> Table:
    table = Table(title="Checkpoints", title_justify="left")
    for column in ("subject", "model", "done", "quarantined", "why"):
        table.add_column(column, justify="right" if column in ("done", "quarantined") else "left")
    for subject, models in subjects.items():
        for model in models:
            verdicts = load_integrity(results, models=model).to_pylist()
            bad = [v for v in verdicts if v["quarantined"]]
            why = "; ".join(f"step {v['step']}: {v['status']}" for v in bad[:4]) + (" …" if len(bad) > 4 else "")
            table.add_row(subject, model, str(len(verdicts) - len(bad)), str(len(bad)), why)
    return table


def _onsets(results: str, subjects: Mapping[str, Sequence[str]]) -> Table:
    table = Table(title="Onsets (between two checkpoints)", title_justify="left")
    for column in ("subject", "quantity", "onset", "change", "p", "seeds"):
        table.add_column(column, justify="right" if column in ("change", "p", "seeds") else "left")
    for subject in subjects:
        for row in load_timeline(results, "emergence", models=subject).to_pylist():
            onset = f"{row['onset_after']} – {row['onset_by']}" if row["detected"] else _verdict(row["status"])
            change = "" if row["change"] is None else f"{row['change']:+.3g}"
            p = "" if row["p_adjusted"] is None else f"{row['p_adjusted']:.3f}"
            table.add_row(subject, row["quantity"], onset, change, p, str(row["n_seeds"]))
    return table


def _verdict(status: str) -> str:
    return "not detected" if status == "ok" else status.replace("_", " ")
