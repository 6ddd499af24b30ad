"""What every job needs that runs networks on a panel: its arrays, the digests of its files, its tokenizer."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.loading import GRADIENT_DTYPE
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.stages.checkpoint_job import CheckpointJob
from rare_neurons.stages.own_tokenizer import compare_tokenizer
from rare_neurons.tables import file_sha256, read_metadata, read_table

PANEL_INPUTS = ("contexts", "targets", "unigram")
"""Tables that a panel's arrays come from."""


def load_panel(*, contexts: str, targets: str, unigram: str, rules: Mapping[str, Mapping[str, object]]) -> PanelArrays:
    """Load a panel's tables as the arrays that a network is run on."""
    windows = read_table(contexts)
    types = read_table(unigram, ["count", "probability"])
    names = tuple(rules)
    chosen = read_table(targets)
    # In the strata's declared order, as they were drawn: files are in the order of names.
    rank = np.array([names.index(s) for s in chosen["stratum"].to_pylist()], dtype=np.int64)
    order = np.argsort(rank, kind="stable")
    chosen, stratum = chosen.take(order), rank[order]
    of_target = ("context", "position", "target_id", "document", "type_bin")
    return PanelArrays(
        token_ids=np.stack([row.values.to_numpy() for row in windows["token_ids"]]).astype(np.int64),
        fold=windows["fold"].to_numpy(),
        **{name: chosen[name].to_numpy() for name in of_target},
        stratum=stratum,
        strata=names,
        vocab_stratum=assign_strata(types["count"].to_numpy(), rules),
        log_unigram=np.log(types["probability"].to_numpy()),
        min_position=int(read_metadata(contexts)["min_position"]),
    )


def panel_of(inputs: Mapping[str, str], rules: Mapping[str, Mapping[str, object]]) -> PanelArrays:
    """Load the panel among a job's inputs."""
    return load_panel(**{name: inputs[name] for name in PANEL_INPUTS}, rules=rules)


def panel_digests(inputs: Mapping[str, str]) -> dict[str, str]:
    """Digest of each of `PANEL_INPUTS`."""
    return {name: file_sha256(inputs[name]) for name in PANEL_INPUTS}


def tokenizer_check(inputs: Mapping[str, str]) -> Callable[[Path, Manifest], dict[str, str]]:
    """Return what compares a checkpoint's own tokenizer with the panel's (`CheckpointJob.look`)."""

    def look(folder: Path, checkpoint: Manifest) -> dict[str, str]:
        subject = f"{checkpoint.model}, step {checkpoint.step}"
        return {"tokenizer": compare_tokenizer(folder, Path(inputs["tokenizer"]), subject)}

    return look


def own_strata(options: Mapping[str, object], rules: Mapping[str, object]) -> dict[str, object]:
    """Options with the strata that this panel has, and the number of contexts, None for all."""
    contexts = None if options["contexts"] == "all" else int(options["contexts"])
    return {**options, "strata": strata_here(options, rules), "contexts": contexts}


def strata_here(options: Mapping[str, object], rules: Mapping[str, object]) -> tuple[str, ...]:
    """Strata that are asked for and that this panel has."""
    return tuple(name for name in options["strata"] if name in rules)


def batch_size_of(machine: Mapping[str, object]) -> int | None:
    """Contexts at once, None where the memory decides."""
    return None if machine["batch_size"] == "auto" else int(machine["batch_size"])


def params_on(rules: Mapping[str, Mapping[str, object]], options: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a table in its metadata: options, and what the panel's strata are."""
    return {**options, "strata_of_panel": {name: dict(rule) for name, rule in rules.items()}}


def job_on_panel(
    rule: str, params: Mapping[str, Mapping[str, object]], inputs: Mapping[str, str], machine: Mapping[str, object]
) -> CheckpointJob:
    """Say what is recorded of a rule that runs checkpoints loaded by `load_for_gradients`; parameters by table."""
    about = {"dtype": GRADIENT_DTYPE, "device": machine["device"]}
    return CheckpointJob(rule, params=params, about=about, look=tokenizer_check(inputs))
