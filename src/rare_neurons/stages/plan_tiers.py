"""Which tiers of evidence a configuration can reach at best, and what the next one needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.seeds import MIN_RUNS
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.numerics.wording.phrases import several

Section = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Reach:
    """What can be said of a subject that is no control, if no further checkpoint of it is bad.

    Attributes
    ----------
    subject : str
    n_runs, n_controls, n_checkpoints : int
        Usable checkpoints of the run that has the fewest.
    tiers : tuple of str
        Those within reach.
    more : str
        What the next tier needs; empty where all are within reach.
    """

    subject: str
    n_runs: int
    n_controls: int
    n_checkpoints: int
    tiers: tuple[str, ...]
    more: str


def reach_of(models: Section, evidence: Mapping[str, object], steps: Mapping[str, Sequence[int]]) -> tuple[Reach, ...]:
    """One for each subject that is no control.

    Parameters
    ----------
    models : mapping
        Section ``models`` of the configuration.
    evidence : mapping
        Section ``evidence``.
    steps : mapping
        Usable checkpoints of each model.
    """
    persistence = int(evidence["rule"]["persistence"])
    specific = any("against" in question for question in evidence["questions"].values())
    subjects: dict[str, list[str]] = {}
    for name, entry in models.items():
        if "control_of" not in entry:
            subjects.setdefault(str(entry.get("subject", name)), []).append(name)
    found = []
    for subject, runs in subjects.items():
        controls = [name for name, entry in models.items() if entry.get("control_of") == subject]
        fewest = min(len(steps[name]) for name in runs)
        n, more = within_reach(len(runs), len(controls), n_more_steps=persistence + 1 - fewest)
        tiers = tuple(tier for tier in TIERS[:n] if specific or tier != "specific")
        found.append(Reach(subject, len(runs), len(controls), fewest, tiers, more))
    return tuple(found)


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
    (1, 'two more seeds (an entry each, with the same subject), then two controls')
    """
    lacking = max(MIN_CONTROLS - n_controls, 0)
    if n_more_steps > 0:
        return 0, f"{several(n_more_steps, 'more checkpoint')} of each run"
    if n_runs < MIN_RUNS:
        seeds = f"{several(MIN_RUNS - n_runs, 'more seed')} (an entry each, with the same subject)"
        return 1, f"{seeds}, then {several(lacking, 'control')}" if lacking else seeds
    if lacking:
        return 2, f"{several(lacking, 'more control')} on shuffled text (control_of)"
    return len(TIERS), ""
