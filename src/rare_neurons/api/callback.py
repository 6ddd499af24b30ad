"""Measurements at chosen steps of a training by ``transformers.Trainer``."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rare_neurons.api.influence import measure_influence
from rare_neurons.api.measurement import OWN_PANEL
from rare_neurons.api.model import plain_model
from rare_neurons.api.panel import Panel
from rare_neurons.api.saved import SavedCheckpoints
from rare_neurons.api.spectra import measure_spectra
from rare_neurons.errors import RequestError

Config = Mapping[str, Mapping] | str | Path | Sequence[str | Path]


class MeasureCallback(TrainerCallback):
    """Measure at chosen steps while a model trains, and write shards where loaders find them.

    In one of two ways:

    *With a configuration*, the Trainer is made to save its checkpoint at the chosen steps (step 0, which it does not
    know, is saved as weights alone), and each is measured from its folder, by the workflow's own code, into the
    workflow's own files: same bytes for as many threads, same provenance. A later ``snakemake`` finds them, and so does
    ``python -m rare_neurons.check``. Panel, corpus and tokenizer must be in the results folder before the training.

    *With a panel in memory*, the model is measured as it is, and nothing is saved but the shards. They name parameters
    and panel by their digests; loaders find them, a workflow that asks for the same model refuses them, because there
    are no weights by which they could be checked.

    The training goes on as if nothing had been measured. An error in a measurement ends it, after its checkpoint was
    saved. Of several processes the first one measures.

    Parameters
    ----------
    results : str or Path
        The results folder.
    model : str
        Name of the model there, and in the configuration.
    steps : int or iterable of int, optional
        Optimizer updates after which to measure. With a configuration, default: whenever the Trainer saves.
    panel : Panel, optional
        Of `make_panel`.
    config : mapping or path or sequence of paths, optional
        The configuration: complete, or its files, or, without it and without a panel, what the last run has noted in
        the results folder.

    Raises
    ------
    RequestError
        If both or neither way is possible; at the start of the training, if the Trainer saves elsewhere than the
        configuration says, deletes what it has saved (``save_total_limit``), or the panel is not there.

    Examples
    --------
    >>> panel = make_panel(ids, counts=counts, documents=documents)  # doctest: +SKIP
    >>> callback = MeasureCallback("results", "mine", steps=[0, 1, 2, 4, 8, 16], panel=panel)  # doctest: +SKIP
    >>> Trainer(model, args, train_dataset=data, callbacks=[callback]).train()  # doctest: +SKIP
    """

    def __init__(
        self,
        results: str | Path,
        model: str,
        *,
        steps: int | Iterable[int] | None = None,
        panel: Panel | None = None,
        config: Config | None = None,
    ) -> None:
        if panel is not None and config is not None:
            raise RequestError("a panel and a configuration are both given, but the configuration has its own panels")
        if panel is not None and steps is None:
            raise RequestError("steps: a model in memory is measured at chosen steps; name them")
        self.results, self.model, self.panel = results, model, panel
        self.steps = None if steps is None else _whole(steps)
        self._saved = SavedCheckpoints.of(results, model, config) if panel is None else None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Refuse what cannot work before any step, and measure step 0."""
        model = plain_model(kwargs["model"])
        if self._saved is not None:
            self._saved.check(args.output_dir)
            if args.save_total_limit is not None:
                raise RequestError(
                    f"save_total_limit={args.save_total_limit} deletes checkpoints that a run of the workflow opens "
                    "again; leave it out (save_only_model=True keeps them small)"
                )
        if state.global_step > 0 or self.steps is None or 0 not in self.steps or not state.is_world_process_zero:
            return
        if self._saved is not None:
            for part in (model, kwargs.get("processing_class")):
                if hasattr(part, "save_pretrained"):
                    part.save_pretrained(self._saved.folder(0))
        self._measure(model, 0)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Measure the model, or have the Trainer save it."""
        if self.steps is None or state.global_step not in self.steps:
            return
        if self._saved is not None:
            control.should_save = True
        elif state.is_world_process_zero:
            self._measure(plain_model(kwargs["model"]), state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        """Measure what was saved."""
        chosen = self.steps is None or state.global_step in self.steps
        if self._saved is not None and chosen and state.is_world_process_zero:
            self._measure(plain_model(kwargs["model"]), state.global_step)

    def _measure(self, model: PreTrainedModel, step: int) -> None:
        if self._saved is not None:
            self._saved.measure(step, threads=torch.get_num_threads())
            return
        place = {"model": self.model, "step": step}
        measure_influence(model, self.panel).write(self.results, **place, panel=OWN_PANEL)
        measure_spectra(model).write(self.results, **place)


def _whole(steps: int | Iterable[int]) -> frozenset[int]:
    try:
        found = frozenset(map(operator.index, steps if isinstance(steps, Iterable) else [steps]))
    except TypeError:
        raise RequestError(f"steps={steps!r}: whole numbers of optimizer updates are needed") from None
    if not found or min(found) < 0:
        raise RequestError(f"steps={steps!r}: at least one step, and none below 0")
    return found
