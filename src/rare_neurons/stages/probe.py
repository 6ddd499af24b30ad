"""Stage `probe`: the one job that runs the network, and everything that follows from its forward pass."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.influence.probe import PanelArrays, ProbeResult, probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.placement import Placement
from rare_neurons.numerics.influence.rows import PER_NEURON
from rare_neurons.numerics.panel.folds import half_of_fold
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.stages.checkpoint_job import CheckpointFiles, CheckpointJob, place_of, run_checkpoint_job
from rare_neurons.stages.resolve import check_tokenizer
from rare_neurons.tables import file_sha256, from_columns, read_metadata, read_table

OUTPUTS = ("influence", "folds", "behaviour", "activations", "gradients")
Columns = Mapping[str, Sequence[object]]


def write_probe(
    outputs: Mapping[str, str],
    inputs: Mapping[str, str],
    *,
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    options: Mapping[str, object],
    cache: Mapping[str, object],
    placement: Mapping[str, object] | None,
    threads: int,
) -> None:
    """Run one checkpoint over one panel.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        One path for each of `OUTPUTS`.
    inputs : mapping
        Paths of manifest, contexts, targets, unigram and tokenizer.
    panel : str
        Its name, a column of every table.
    rules : mapping
        The panel's strata.
    options, cache : mapping
        Sections ``probe`` and ``cache`` of the configuration.
    placement : mapping or None
        Where weights go that do not fit the device (``probe.placement``); no parameter of what is measured.
    threads : int

    Raises
    ------
    RequestError
        If the checkpoint's tokenizer or vocabulary is not the panel's.
    """
    torch.set_num_threads(threads)
    paths = {name: inputs[name] for name in ("contexts", "targets", "unigram")}
    digests = {name: file_sha256(path) for name, path in paths.items()}
    files = CheckpointFiles(inputs["manifest"], outputs, digests)
    arrays = load_panel(**paths, rules=rules)

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        check_tokenizer(folder, Path(inputs["tokenizer"]), f"{checkpoint.model}, step {checkpoint.step}")
        model = load_model(
            folder,
            dtype=getattr(torch, str(options["dtype"])),
            device=str(options["device"]),
            placement=None if placement is None else Placement(**placement),
        )
        result = probe_model(
            model,
            arrays,
            engine=str(options["engine"]),
            tolerance=float(options["tolerance"]),
            tolerance_se=float(options["tolerance_se"]),
            memory_gb=float(options["memory_gb"]),
            batch_size=int(options["batch_size"]),
        )
        return _tables(result, arrays, place_of(checkpoint, panel))

    params = {**options, "strata": {name: dict(rule) for name, rule in rules.items()}}
    job = CheckpointJob(
        "probe",
        params=dict.fromkeys(OUTPUTS, params),
        # A deterministic bound: every rounding counts at its worst (no failure probability).
        about={"dtype": options["dtype"], "rounding_model": "deterministic"},
    )
    run_checkpoint_job(job, [files], measure, cache=cache)


def load_panel(*, contexts: str, targets: str, unigram: str, rules: Mapping[str, Mapping[str, object]]) -> PanelArrays:
    """Load a panel's tables as the arrays that a probe works on."""
    windows = read_table(contexts)
    types = read_table(unigram, ["count", "probability"])
    names = tuple(rules)
    chosen = read_table(targets)
    # In the strata's declared order, as they were drawn: files are in the order of names.
    rank = np.array([names.index(s) for s in chosen["stratum"].to_pylist()], dtype=np.int64)
    order = np.argsort(rank, kind="stable")
    chosen, stratum = chosen.take(order), rank[order]
    fold = windows["fold"].to_numpy()
    return PanelArrays(
        token_ids=np.stack([row.values.to_numpy() for row in windows["token_ids"]]).astype(np.int64),
        fold=fold,
        half=half_of_fold(fold),
        context=chosen["context"].to_numpy(),
        position=chosen["position"].to_numpy(),
        target_id=chosen["target_id"].to_numpy(),
        stratum=stratum,
        strata=names,
        vocab_stratum=assign_strata(types["count"].to_numpy(), rules),
        log_unigram=np.log(types["probability"].to_numpy()),
        min_position=int(read_metadata(contexts)["min_position"]),
    )


def _tables(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> dict[str, pa.Table]:
    columns: dict[str, Columns] = {
        "influence": _influence(result, panel),
        "folds": _folds(result, panel),
        "behaviour": _behaviour(result, panel),
        "activations": {
            "neuron": np.arange(len(result.activation_mean)),
            "activation_mean": result.activation_mean,
            "activation_variance": result.activation_variance,
        },
        "gradients": {"stratum": list(panel.strata), "gradient": list(result.residual_gradient)},
    }
    return {name: from_columns(name, place, found) for name, found in columns.items()}


def _influence(result: ProbeResult, panel: PanelArrays) -> Columns:
    n_strata, n_neurons = result.influence.shape
    return {
        "neuron": np.tile(np.arange(n_neurons), n_strata),
        "stratum": np.repeat(panel.strata, n_neurons),
        "n_targets": np.repeat(result.n_targets, n_neurons),
        "n_types": np.repeat(result.n_types, n_neurons),
        **{name: _values(result, panel, name) for name in PER_NEURON},
    }


def _values(result: ProbeResult, panel: PanelArrays, name: str) -> np.ndarray | list[None]:
    values = getattr(result, name).reshape(-1)
    by_target = np.array_equal(panel.vocab_stratum[panel.target_id], panel.stratum)
    # What the model itself would emit has a target, whose stratum is not the input's.
    return values if by_target or name != "influence_expected" else [None] * len(values)


def _folds(result: ProbeResult, panel: PanelArrays) -> Columns:
    n_strata, n_folds = result.fold_n.shape
    fold = np.tile(np.arange(n_folds), n_strata)
    return {
        "stratum": np.repeat(panel.strata, n_folds),
        "fold": fold,
        "half": np.where(half_of_fold(fold) == 0, "A", "B"),
        "n_targets": result.fold_n.reshape(-1).astype(np.int64),
        "influence_sum": list(result.fold_influence_sum.reshape(n_strata * n_folds, -1).astype(np.float32)),
        "within_sum": list(result.fold_within_sum.reshape(n_strata * n_folds, -1).astype(np.float32)),
    }


def _behaviour(result: ProbeResult, panel: PanelArrays) -> Columns:
    n_folds = result.fold_n.shape[1]
    cell = panel.stratum * n_folds + panel.fold[panel.context]
    counts = np.bincount(cell, minlength=len(panel.strata) * n_folds)
    filled = counts > 0
    means = {
        name: np.bincount(cell, weights=values, minlength=counts.size)[filled] / counts[filled]
        for name, values in result.behaviour.items()
    }
    return {
        "stratum": np.repeat(panel.strata, n_folds)[filled],
        "fold": np.tile(np.arange(n_folds), len(panel.strata))[filled],
        "n_targets": counts[filled],
        **means,
    }
