"""Stage `probe`: the one job that runs the network, and everything that follows from its forward pass."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.errors import DataFault
from rare_neurons.models.influence.probe import PanelArrays, ProbeResult, probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.placement import Placement
from rare_neurons.numerics.panel.folds import half_of_fold
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.schemas import (
    ACTIVATIONS,
    BEHAVIOUR,
    FOLDS,
    GRADIENTS,
    INFLUENCE,
    INFLUENCE_VALUES,
)
from rare_neurons.stages.cache import cache_place
from rare_neurons.stages.resolve import check_tokenizer
from rare_neurons.tables import file_sha256, provenance, read_metadata, read_table, write_table

OUTPUTS = ("influence", "folds", "behaviour", "activations", "gradients")
_SCHEMAS = dict(zip(OUTPUTS, (INFLUENCE, FOLDS, BEHAVIOUR, ACTIVATIONS, GRADIENTS), strict=True))


def write_probe(
    outputs: Mapping[str, str],
    *,
    manifest: str,
    contexts: str,
    targets: str,
    unigram: str,
    tokenizer: str,
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    cache: Mapping[str, object],
    options: Mapping[str, object],
    placement: Mapping[str, object] | None,
    threads: int,
    version: int,
) -> None:
    """Run one checkpoint over one panel.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        One path for each of `OUTPUTS`.
    manifest, contexts, targets, unigram, tokenizer : str
        Inputs.
    panel : str
        Its name, a column of every table.
    rules : mapping
        The panel's strata.
    cache, options : mapping
        Sections ``cache`` and ``probe`` of the configuration.
    placement : mapping or None
        Where weights go that do not fit the device (``probe.placement``); no parameter of what is measured.
    threads, version : int

    Raises
    ------
    RequestError
        If the checkpoint's tokenizer or vocabulary is not the panel's.
    """
    torch.set_num_threads(threads)
    checkpoint = read_manifest(Path(manifest))
    place = {"panel": panel, "model": checkpoint.model, "step": checkpoint.step}
    arrays = load_panel(contexts, targets, unigram, rules)
    tables = {name: _SCHEMAS[name].empty_table() for name in OUTPUTS}
    status, reason = "ok", None
    try:
        with open_weights(checkpoint, **cache_place(cache)) as folder:
            check_tokenizer(folder, Path(tokenizer), f"{checkpoint.model}, step {checkpoint.step}")
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
        tables = _tables(result, arrays, place)
    except DataFault as fault:
        status, reason = "bad_checkpoint", str(fault)
    inputs = {
        "manifest": checkpoint.digest,
        **{
            name: file_sha256(path)
            for name, path in (("contexts", contexts), ("targets", targets), ("unigram", unigram))
        },
    }
    params = dict(options)
    about = provenance(
        "probe",
        version,
        {**params, "strata": {name: dict(rule) for name, rule in rules.items()}},
        inputs,
        commit=checkpoint.commit,
        weights_sha256=checkpoint.weights_digest,
        dtype=options["dtype"],
        # A deterministic bound: every rounding counts at its worst (no failure probability).
        rounding_model="deterministic",
        status=status,
        reason=reason,
    )
    for name, table in tables.items():
        write_table(table, outputs[name], about)


def load_panel(contexts: str, targets: str, unigram: str, rules: Mapping[str, Mapping[str, object]]) -> PanelArrays:
    """Load a panel's tables as the arrays that a probe works on."""
    windows = read_table(contexts)
    chosen = read_table(targets)
    types = read_table(unigram, ["count", "probability"])
    names = tuple(rules)
    fold = windows["fold"].to_numpy()
    return PanelArrays(
        token_ids=np.stack([row.values.to_numpy() for row in windows["token_ids"]]).astype(np.int64),
        fold=fold,
        half=half_of_fold(fold),
        context=chosen["context"].to_numpy(),
        position=chosen["position"].to_numpy(),
        target_id=chosen["target_id"].to_numpy(),
        stratum=np.array([names.index(s) for s in chosen["stratum"].to_pylist()], dtype=np.int64),
        strata=names,
        vocab_stratum=assign_strata(types["count"].to_numpy(), rules),
        log_unigram=np.log(types["probability"].to_numpy()),
        min_position=int(read_metadata(contexts)["min_position"]),
    )


def _tables(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> dict[str, pa.Table]:
    return {
        "influence": _influence(result, panel, place),
        "folds": _folds(result, panel, place),
        "behaviour": _behaviour(result, panel, place),
        "activations": _table(
            ACTIVATIONS,
            place,
            neuron=np.arange(len(result.activation_mean)),
            activation_mean=result.activation_mean,
            activation_variance=result.activation_variance,
        ),
        "gradients": _table(GRADIENTS, place, stratum=list(panel.strata), gradient=list(result.residual_gradient)),
    }


def _table(schema: pa.Schema, place: Mapping[str, object], **columns: object) -> pa.Table:
    n = len(next(iter(columns.values())))
    filled = {**{key: [value] * n for key, value in place.items()}, **columns}
    return pa.table(
        {name: pa.array(filled[name], type=schema.field(name).type) for name in schema.names}, schema=schema
    )


def _influence(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> pa.Table:
    n_strata, n_neurons = result.influence.shape
    return _table(
        INFLUENCE,
        place,
        neuron=np.tile(np.arange(n_neurons), n_strata),
        stratum=np.repeat(panel.strata, n_neurons),
        n_targets=np.repeat(result.n_targets, n_neurons),
        n_types=np.repeat(result.n_types, n_neurons),
        **{name: _values(result, panel, name) for name in INFLUENCE_VALUES},
    )


def _values(result: ProbeResult, panel: PanelArrays, name: str) -> np.ndarray | list[None]:
    values = getattr(result, name).reshape(-1)
    by_target = np.array_equal(panel.vocab_stratum[panel.target_id], panel.stratum)
    # What the model itself would emit has a target, whose stratum is not the input's.
    return values if by_target or name != "influence_expected" else [None] * len(values)


def _folds(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> pa.Table:
    n_strata, n_folds = result.fold_n.shape
    fold = np.tile(np.arange(n_folds), n_strata)
    return _table(
        FOLDS,
        place,
        stratum=np.repeat(panel.strata, n_folds),
        fold=fold,
        half=np.where(half_of_fold(fold) == 0, "A", "B"),
        n_targets=result.fold_n.reshape(-1).astype(np.int64),
        influence_sum=list(result.fold_influence_sum.reshape(n_strata * n_folds, -1).astype(np.float32)),
        within_sum=list(result.fold_within_sum.reshape(n_strata * n_folds, -1).astype(np.float32)),
    )


def _behaviour(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> pa.Table:
    n_folds = result.fold_n.shape[1]
    cell = panel.stratum * n_folds + panel.fold[panel.context]
    counts = np.bincount(cell, minlength=len(panel.strata) * n_folds)
    filled = counts > 0
    means = {
        name: np.bincount(cell, weights=values, minlength=counts.size)[filled] / counts[filled]
        for name, values in result.behaviour.items()
    }
    return _table(
        BEHAVIOUR,
        place,
        stratum=np.repeat(panel.strata, n_folds)[filled],
        fold=np.tile(np.arange(n_folds), len(panel.strata))[filled],
        n_targets=counts[filled],
        **means,
    )
