"""Which checkpoints one process measures: all of a small model, one of a large one, or as many as asked."""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

STEP, INTERVAL = "step", "interval"
"""Wildcards of what a job measures: checkpoints, or pairs of them such as ``16-128``."""
MODEL = "{model}"
AT_ONCE = 12
"""Checkpoints, or intervals, of a job that measures several models: enough to pay for its start."""


@dataclass(frozen=True)
class Batch:
    """Checkpoints, or intervals between them, of one job; the same for several models.

    Attributes
    ----------
    models : tuple of str
        Models whose jobs these are; none where no model is measured so.
    items : tuple of str
        Steps or intervals of a job, in rising order; the wildcard itself where each job measures one.
    name : str
        What tells its rules from those of other batches; empty where each job measures one.
    wildcard : str
        `STEP` or `INTERVAL`.
    together : bool
        Whether one job measures all of `models`, so that the model is no wildcard of it.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]
    name: str
    wildcard: str = STEP
    together: bool = False

    def rule(self, name: str) -> str:
        """Name of the rule that does `name` for this batch."""
        return f"{name}{self.name}"

    def paths(self, pattern: str) -> list[str]:
        """Paths of one kind of file for every checkpoint or interval, other wildcards left as they are."""
        models = self.models if self.together else (MODEL,)
        return [pattern.replace(MODEL, m).replace(self._place, item) for m in models for item in self.items]

    def log(self, pattern: str) -> str:
        """Path of a job's log: its first and its last step, and model, in the place of the wildcards."""
        found = pattern.replace(self._place, "-".join(_ends(self.items)))
        return found.replace(MODEL, f"{self.models[0]}_to_{self.models[-1]}") if self.together else found

    def pairs_of(self, wildcards: object) -> list[tuple[str, str]]:
        """Return model and step, or interval, of everything that a job measures, in the order of its paths."""
        models = self.models if self.together else (wildcards.model,)
        items = (getattr(wildcards, self.wildcard),) if self.one_by_one else self.items
        return list(itertools.product(models, items))

    def steps_of(self, wildcards: object) -> list[int]:
        """Return the steps of a job of one model."""
        return [int(step) for _, step in self.pairs_of(wildcards)]

    @property
    def one_by_one(self) -> bool:
        """Whether each job measures one."""
        return self.items == (self._place,)

    @property
    def _place(self) -> str:
        return f"{{{self.wildcard}}}"


def batches(
    items: Mapping[str, Sequence[int | str]],
    sizes: Mapping[str, int | None],
    wildcard: str = STEP,
    *,
    alike: Mapping[str, Hashable] | None = None,
) -> tuple[Batch, ...]:
    """Divide the checkpoints of models, or the intervals between them, among jobs.

    Parameters
    ----------
    items : mapping of str to sequence of int or str
        Checkpoints, or intervals, of each model; one without any is left out.
    wildcard : str
        `STEP` or `INTERVAL`.
    sizes : mapping of str to int or None
        Checkpoints that one job of the model measures at most; None for all of them.
    alike : mapping of str to hashable, optional
        Of models whose size is None and that have the same items and are the same here, one job measures several, up to
        `AT_ONCE` items; each model's jobs are its own without it.

    Returns
    -------
    tuple of Batch
        First the one for single checkpoints, also where no model is measured so; then one for each sequence of steps.
    """
    shared = _shared(items, sizes, alike or {})
    taken = {model for models in shared for model in models}
    singles, found = [], {}
    for model, of_model in items.items():
        size = sizes[model] or len(of_model)
        if not of_model or model in taken:
            continue
        if size <= 1:
            singles.append(model)
            continue
        for start in range(0, len(of_model), size):
            found.setdefault(tuple(of_model[start : start + size]), []).append(model)
    batch_list, names = [Batch(tuple(singles), (f"{{{wildcard}}}",), "", wildcard)], set()
    jobs = [(of_job, models, False) for of_job, models in found.items()]
    for of_job, models, together in (*jobs, *((tuple(items[models[0]]), models, True) for models in shared)):
        own = tuple(str(item) for item in of_job)
        name = same = f"_{own[0]}_{own[-1]}" if wildcard == STEP else "_" + "_".join(_ends(own))
        while name in names:
            name = f"{same}_{len(names)}"
        names.add(name)
        batch_list.append(Batch(tuple(models), own, name, wildcard, together))
    return tuple(batch_list)


def _shared(
    items: Mapping[str, Sequence[int | str]], sizes: Mapping[str, int | None], alike: Mapping[str, Hashable]
) -> list[tuple[str, ...]]:
    """Models that one job measures, of those that are alike; none that would be alone."""
    found: dict[Hashable, list[str]] = {}
    for model, kind in alike.items():
        if items.get(model) and sizes[model] is None:
            found.setdefault((kind, tuple(items[model])), []).append(model)
    groups = []
    for (_, of_model), models in found.items():
        most = max(1, AT_ONCE // len(of_model))
        groups += [tuple(models[start : start + most]) for start in range(0, len(models), most)]
    return [models for models in groups if len(models) > 1]


def _ends(items: Sequence[str]) -> tuple[str, ...]:
    """First and last checkpoint of steps or intervals; one where they are the same."""
    return tuple(dict.fromkeys((items[0].split("-")[0], items[-1].split("-")[-1])))


def trainings(steps: Mapping[str, Sequence[int]]) -> tuple[Batch, ...]:
    """Put models that are trained here together by their steps: all models of a rule have the same outputs.

    Parameters
    ----------
    steps : mapping of str to sequence of int
        Checkpoints of each model that is trained here.

    Returns
    -------
    tuple of Batch
        The first has the rule's plain name, and is there also where nothing is trained.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for model, of_model in steps.items():
        found.setdefault(tuple(map(str, of_model)), []).append(model)
    first, *others = found.items() or [((), [])]
    rest = [Batch(tuple(models), kept, f"_{number}") for number, (kept, models) in enumerate(others, 2)]
    return Batch(tuple(first[1]), first[0], ""), *rest


def sizes_of(models: Mapping[str, Mapping[str, object]], asked: int | str) -> dict[str, int | None]:
    """Checkpoints of a job for every model, by the key ``jobs.checkpoints``.

    Parameters
    ----------
    models : mapping
        Section ``models`` of the configuration.
    asked : int or "auto"
        A number for every model; or all checkpoints of those that are trained here, which are small, and one of others.
    """
    own = {name: None if entry["source"] == "pretrain" else 1 for name, entry in models.items()}
    return own if asked == "auto" else dict.fromkeys(models, int(asked))
