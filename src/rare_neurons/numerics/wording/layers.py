"""What is said of layers and of where a loss change came from, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rare_neurons.numerics.layers.evidence import LayerEvidenceRow
from rare_neurons.numerics.layers.ratios import LAST, NATS

from .phrases import interval, probability, several

_FURTHER = {
    "run": "Known of these runs alone.",
    "seeds": "It holds for other seeds.",
    "beyond_control": "It holds for other seeds and goes beyond that of the controls.",
}
_DIGITS = 2


def describe_layers(rows: Sequence[LayerEvidenceRow]) -> list[str]:
    """One sentence for each stratum and question, as far as it goes.

    Parameters
    ----------
    rows : sequence of LayerEvidenceRow
        Of one subject and panel.
    """
    sentences = []
    for stratum in dict.fromkeys(row.stratum for row in rows):
        for place in sorted({row.declared for row in rows}):
            mine = [row for row in rows if (row.stratum, row.declared) == (stratum, place)]
            if mine:
                sentences.append(_of_question(stratum, mine))
    return sentences


def _of_question(stratum: str, rows: Sequence[LayerEvidenceRow]) -> str:
    question = rows[0].question
    told = next((row for row in rows if row.tier == "seeds" and row.estimate is not None), None)
    told = told or next((row for row in rows if row.role == "run" and row.estimate is not None), None)
    alone = [row for row in rows if row.role == "run"]
    if told is None:
        # Why a run has no value says more than that too few have one.
        why = next((row.reason for row in (*alone, *rows) if row.reason), "no run has a value")
        return f"Layers, within-stratum influence on {stratum} tokens, {question}: not judged ({why})."
    size = f"{told.estimate:+.2f} {interval(told.low, told.high, scale='linear')}"
    if question == LAST and told.form == NATS:
        what = f"a neuron of the last layer differs from the mean over all layers by {told.estimate:+.2g} nats"
        what += f" {interval(told.low, told.high, scale='linear')}"
    elif question == LAST:
        what = f"the last layer's share of the mean square differs from an equal one by {size}"
    else:
        what = f"the mean layer (0 first, 1 last) moves by {size} from step {told.since or _since(rows):,}"
    begin = f"Layers, within-stratum influence on {stratum} tokens: {what}"
    if rows[0].reached is None:
        p = "" if told.p_adjusted is None else f", {probability(told.p_adjusted)}"
        return f"{begin}, which is not told from noise{p}."
    if rows[0].reached == "run" and len(alone) == 1:
        return f"{begin}. Known of this run alone; one run says nothing of other seeds."
    return f"{begin}. {_FURTHER[rows[0].reached]}"


def _since(rows: Sequence[LayerEvidenceRow]) -> int:
    return min(row.since for row in rows if row.since is not None)


def describe_account(
    parts: Mapping[str, float], *, stratum: str, change: float, since: int, step: int, n_runs: int
) -> str:
    """Say where the change of a stratum's within-stratum loss between two checkpoints came from.

    Parameters
    ----------
    parts : mapping of str to float
        Nats by name of the part, mean over the runs.
    change : float
        The change itself, nats.

    Examples
    --------
    >>> describe_account({"norms": 0.1}, stratum="rare", change=0.12, since=16, step=128, n_runs=1)
    'Within-stratum loss on rare tokens, step 16 to 128: +0.12 nats (one run), of which norms +0.10; left over +0.02.'
    """
    ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
    told = [f"{name} {value:+.{_DIGITS}f}" for name, value in ordered if round(abs(value), _DIGITS) > 0]
    rest = change - sum(parts.values())
    whom = f"mean of {several(n_runs, 'run')}" if n_runs > 1 else "one run"
    where = f"Within-stratum loss on {stratum} tokens, step {since:,} to {step:,}"
    named = f"of which {', '.join(told)}" if told else "with no part beyond a hundredth"
    return f"{where}: {change:+.{_DIGITS}f} nats ({whom}), {named}; left over {rest:+.{_DIGITS}f}."
