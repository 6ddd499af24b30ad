"""Which checkpoints one process measures: all of a small model, one of a large one, or as many as asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ONE_BY_ONE = ("{step}",)
"""Steps of a batch whose jobs measure one checkpoint each: a wildcard in their place."""


@dataclass(frozen=True)
class Batch:
    """Checkpoints of one job, the same steps for several models.

    Attributes
    ----------
    models : tuple of str
        Models whose jobs these are; none where no model is measured so.
    steps : tuple of str
        Steps of a job, in rising order, or `ONE_BY_ONE`.
    name : str
        What tells its rules from those of other batches; empty for `ONE_BY_ONE`.
    """

    models: tuple[str, ...]
    steps: tuple[str, ...]
    name: str

    def rule(self, name: str) -> str:
        """Name of the rule that does `name` for this batch."""
        return f"{name}{self.name}"

    def paths(self, pattern: str) -> list[str]:
        """Paths of one kind of file for every step, other wildcards left as they are."""
        return [pattern.replace("{step}", step) for step in self.steps]

    def log(self, pattern: str) -> str:
        """Path of a job's log: its first and its last step in the place of ``{step}``."""
        ends = dict.fromkeys((self.steps[0], self.steps[-1]))
        return pattern.replace("{step}", "-".join(ends))

    def steps_of(self, wildcards: object) -> list[int]:
        """Return the steps of a job."""
        return [int(wildcards.step)] if self.steps == ONE_BY_ONE else [int(step) for step in self.steps]


def batches(steps: Mapping[str, Sequence[int]], sizes: Mapping[str, int | None]) -> tuple[Batch, ...]:
    """Divide the checkpoints of models among jobs.

    Parameters
    ----------
    steps : mapping of str to sequence of int
        Checkpoints of each model.
    sizes : mapping of str to int or None
        Checkpoints that one job of the model measures at most; None for all of them.

    Returns
    -------
    tuple of Batch
        First the one for single checkpoints, also where no model is measured so; then one for each sequence of steps.
    """
    singles, found = [], {}
    for model, of_model in steps.items():
        size = sizes[model] or len(of_model)
        if size <= 1:
            singles.append(model)
            continue
        for start in range(0, len(of_model), size):
            found.setdefault(tuple(of_model[start : start + size]), []).append(model)
    batch_list, names = [Batch(tuple(singles), ONE_BY_ONE, "")], set()
    for of_job, models in found.items():
        name = same = f"_{of_job[0]}_{of_job[-1]}"
        while name in names:
            name = f"{same}_{len(names)}"
        names.add(name)
        batch_list.append(Batch(tuple(models), tuple(str(step) for step in of_job), name))
    return tuple(batch_list)


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
