"""Stage `usable`: whether each model of a run has a checkpoint that can be measured; the last thing that a run asks."""

from collections.abc import Mapping, Sequence

from rare_neurons.errors import RequestError
from rare_neurons.selection import Choice, read_joined
from rare_neurons.tables import atomic_path

_NAMED = 3  # steps whose reason is repeated


def write_usable(output: str, *, results: str, models: Sequence[str]) -> None:
    """Write how many checkpoints of each model can be used.

    A rule of its own, after all others: Snakemake deletes what a failed job has written, and this one writes nothing
    that anything needs.

    Parameters
    ----------
    output : str
    results : str
        The results folder.
    models : sequence of str

    Raises
    ------
    RequestError
        If a model has none, naming the first reasons.
    """
    verdicts = {model: read_joined(results, "integrity", Choice(model)).to_pylist() for model in models}
    useless = [_why(model, found) for model, found in verdicts.items() if all(v["quarantined"] for v in found)]
    if useless:
        raise RequestError(f"{'; '.join(useless)}. What was computed stays in {results}")
    with atomic_path(output) as temporary:
        temporary.write_text("".join(map(_line, verdicts, verdicts.values())), encoding="utf-8")


def _line(model: str, verdicts: Sequence[Mapping[str, object]]) -> str:
    good = sum(not verdict["quarantined"] for verdict in verdicts)
    return f"{model}: {good} of {len(verdicts)} checkpoints can be used\n"


def _why(model: str, verdicts: Sequence[Mapping[str, object]]) -> str:
    named = ", ".join(f"step {v['step']} {v['status']} ({v['reason']})" for v in verdicts[:_NAMED])
    more = ", …" if len(verdicts) > _NAMED else ""
    return f"model {model}: none of its {len(verdicts)} checkpoints can be used: {named}{more}"
