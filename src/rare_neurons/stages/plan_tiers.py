"""Which tiers of evidence a configuration can reach at best, and what the next one needs."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.seeds import MIN_RUNS
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.numerics.wording.phrases import several

Section = Mapping[str, Mapping[str, object]]


def tiers_table(models: Section, evidence: Mapping[str, object], steps: Mapping[str, Sequence[int]]) -> Table:
    """One row for each subject that is no control.

    Parameters
    ----------
    models : mapping
        Section ``models`` of the configuration.
    evidence : mapping
        Section ``evidence``.
    steps : mapping
        Checkpoints of each model.
    """
    table = Table(title="Evidence within reach, if all checkpoints are good", title_justify="left")
    for column in ("subject", "runs", "controls", "checkpoints", "tiers", "to go further"):
        table.add_column(column, justify="right" if column in ("runs", "controls", "checkpoints") else "left")
    persistence = int(evidence["rule"]["persistence"])
    specific = any("against" in question for question in evidence["questions"].values())
    subjects: dict[str, list[str]] = {}
    for name, entry in models.items():
        if "control_of" not in entry:
            subjects.setdefault(str(entry.get("subject", name)), []).append(name)
    for subject, runs in subjects.items():
        controls = [name for name, entry in models.items() if entry.get("control_of") == subject]
        fewest = min(len(steps[name]) for name in runs)
        n, more = within_reach(len(runs), len(controls), n_more_steps=persistence + 1 - fewest)
        tiers = [tier for tier in TIERS[:n] if specific or tier != "specific"]
        said = ", ".join(tiers).replace("_", " ") or "none"
        table.add_row(subject, str(len(runs)), str(len(controls)), str(fewest), said, more)
    return table


def within_reach(n_runs: int, n_controls: int, *, n_more_steps: int) -> tuple[int, str]:
    """Return how many of `TIERS` can be reached, and what the next one needs.

    Parameters
    ----------
    n_runs, n_controls : int
    n_more_steps : int
        Checkpoints that a change which is held still needs; none where it is not positive.

    Examples
    --------
    >>> within_reach(1, 0, n_more_steps=-5)
    (1, 'two more seeds (an entry each, with the same subject)')
    """
    if n_more_steps > 0:
        return 0, f"{several(n_more_steps, 'more checkpoint')} of each run"
    if n_runs < MIN_RUNS:
        return 1, f"{several(MIN_RUNS - n_runs, 'more seed')} (an entry each, with the same subject)"
    if n_controls < MIN_CONTROLS:
        return 2, f"{several(MIN_CONTROLS - n_controls, 'more control')} on shuffled text (control_of)"
    return len(TIERS), ""
