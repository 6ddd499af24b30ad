"""Schedules of checkpoints, by name or as a list."""

from collections.abc import Mapping, Sequence

PYTHIA_LAST = 143_000
SCHEDULES = ("pythia-all", "pythia-log")


def steps_of_model(model: Mapping[str, object], recipes: Mapping[str, Mapping[str, int]]) -> tuple[int, ...] | None:
    """Return the steps that an entry of ``models`` asks for; None where it asks for those that are there (``found``).

    Parameters
    ----------
    model : mapping
    recipes : mapping
        Section ``recipes`` of the configuration: a training's last step ends its schedule.
    """
    if model["steps"] == "found":
        return None
    return steps_of(model["steps"], last=recipes[model["recipe"]]["n_steps"] if model["source"] == "pretrain" else None)


def steps_of(wanted: str | Sequence[int] | Mapping[str, int], *, last: int | None = None) -> tuple[int, ...]:
    """Return the steps of a schedule, ascending.

    ``pythia-all`` is 0, 1, 2, 4 … 512, then every 1,000th up to the last step (154 for Pythia). ``pythia-log`` keeps of
    these the doublings: 0, 1, 2, 4 … 512, 1000, 2000, 4000 … and the last. ``{every: k}`` keeps every k-th of
    ``pythia-all``, the first and the last included.

    Parameters
    ----------
    wanted : str, sequence of int or mapping
        A name of `SCHEDULES`, the steps themselves, or ``{every: k}``.
    last : int, optional
        Last step of the run; Pythia's 143,000 by default. A shorter run's schedule ends there.

    Raises
    ------
    ValueError
        If the name is not known.
    """
    if not isinstance(wanted, str | Mapping):
        return tuple(sorted({int(step) for step in wanted}))
    end = PYTHIA_LAST if last is None else last
    early = [0, *(2**k for k in range(10))]
    if isinstance(wanted, Mapping):
        everything = steps_of("pythia-all", last=last)
        return tuple(sorted({*everything[:: int(wanted["every"])], everything[-1]}))
    if wanted == "pythia-all":
        late = range(1000, end + 1, 1000)
    elif wanted == "pythia-log":
        late = (1000 * 2**k for k in range(end.bit_length()))
    else:
        raise ValueError(f"unknown schedule {wanted!r}; known: {', '.join(SCHEDULES)}, or a list of steps")
    return tuple(sorted({step for step in (*early, *late, end) if step <= end}))


def declared_among(asked: str | Sequence[int | str], steps: Sequence[int]) -> list[int]:
    """Return those of a model's steps at which a section looks: ``none``, ``all``, or a list with ``last`` in it."""
    if asked == "none" or not steps:
        return []
    wanted = {steps[-1] if step == "last" else step for step in asked} if isinstance(asked, list) else set(steps)
    return [step for step in steps if step in wanted]
