"""Stage `probe`: the one job that runs the network, and everything that follows from its forward pass."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.models.influence.probe import EngineSettings, PanelArrays, ProbeResult, probe_model
from rare_neurons.models.loading import check_length, load_model
from rare_neurons.models.placement import Placement
from rare_neurons.numerics.grid.moments import disjoint_products
from rare_neurons.numerics.influence.rows import PER_NEURON
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    CheckpointJob,
    Workplace,
    files_of,
    place_of,
    run_checkpoint_job,
)
from rare_neurons.stages.on_panel import batch_size_of, panel_digests, panel_of, tokenizer_check
from rare_neurons.tables import from_columns

OUTPUTS = ("influence", "cells", "behaviour", "moments", "activations", "gradients")
Columns = Mapping[str, Sequence[object]]


def write_probe(
    outputs: Mapping[str, Sequence[str]],
    inputs: Mapping[str, str],
    *,
    manifests: Sequence[str],
    panel: str,
    rules: Mapping[str, Mapping[str, object]],
    options: Mapping[str, object],
    place: Workplace,
) -> None:
    """Run checkpoints of a model over one panel.

    A bad checkpoint gives tables of zero rows whose metadata say why.

    Parameters
    ----------
    outputs : mapping
        For each of `OUTPUTS` a path for every checkpoint.
    inputs : mapping
        Paths of contexts, targets, unigram and tokenizer.
    manifests : sequence of str
        One for every checkpoint, in the order of the outputs.
    panel : str
        Its name, a column of every table.
    rules : mapping
        The panel's strata.
    options : mapping
        Section ``probe`` of the configuration.
    place : Workplace

    Raises
    ------
    RequestError
        If the checkpoint's tokenizer or vocabulary is not the panel's.
    """
    torch.set_num_threads(place.threads)
    files = files_of(manifests, outputs, panel_digests(inputs))
    arrays = panel_of(inputs, rules)

    def measure(folder: Path, checkpoint: Manifest, _: CheckpointFiles) -> dict[str, pa.Table]:
        model = load_model(
            folder,
            dtype=getattr(torch, str(options["dtype"])),
            device=str(options["device"]),
            placement=None if place.placement is None else Placement(**place.placement),
        )
        check_length(model, arrays.token_ids.shape[1])
        result = probe_model(
            model,
            arrays,
            settings_of(options),
            batch_size=batch_size_of(options),
            tf32=bool(options["tf32"]),
        )
        return probe_tables(result, arrays, place_of(checkpoint, panel))

    params = {**options, "strata": {name: dict(rule) for name, rule in rules.items()}}
    job = CheckpointJob(
        "probe",
        params=dict.fromkeys(OUTPUTS, params),
        # A deterministic bound: every rounding counts at its worst (no failure probability).
        about={"dtype": options["dtype"], "tf32": options["tf32"], "rounding_model": "deterministic"},
        look=tokenizer_check(inputs),
    )
    run_checkpoint_job(job, files, measure, place=place)


def settings_of(options: Mapping[str, object]) -> EngineSettings:
    """Take what the engine needs from section ``probe``."""
    names = {"engine": str, "tolerance": float, "tolerance_se": float, "memory_gb": _gigabytes}
    names |= {"placebo_draws": int, "placebo_seed": int}
    return EngineSettings(**{name: kind(options[name]) for name, kind in names.items()})


def _gigabytes(value: object) -> float | None:
    return None if value == "auto" else float(value)


def probe_tables(result: ProbeResult, panel: PanelArrays, place: Mapping[str, object]) -> dict[str, pa.Table]:
    """Tables of a probe by name, with the columns of their place in front."""
    columns: dict[str, Columns] = {
        "influence": _influence(result, panel),
        "cells": _cells(result, panel),
        "behaviour": _behaviour(result, panel),
        "moments": _moments(result, panel),
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


def _cells(result: ProbeResult, panel: PanelArrays) -> Columns:
    lists = {"influence_sum": result.cell_influence_sum, "within_sum": result.cell_within_sum}
    n_neurons = result.influence.shape[1]
    return {
        **_places(result.cell_n.shape, panel.strata),
        "n_targets": result.cell_n.reshape(-1),
        **{name: list(sums.reshape(-1, n_neurons).astype(np.float32)) for name, sums in lists.items()},
    }


def _places(shape: tuple[int, ...], strata: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Columns that say which stratum, fold and bin the values of an array of `shape` belong to, flattened."""
    stratum, fold, type_bin = np.indices(shape).reshape(3, -1)
    return {"stratum": np.asarray(strata)[stratum], "fold": fold, "type_bin": type_bin}


def _moments(result: ProbeResult, panel: PanelArrays) -> Columns:
    """Moments over neurons: of the network from its cell sums, of placebos as the pass has taken them."""
    own = {
        "influence_sum_mean": result.cell_influence_sum.mean(-1),
        "influence_pairs": _pairs(result.cell_influence_sum),
        "within_sum_mean": result.cell_within_sum.mean(-1),
        "within_pairs": _pairs(result.cell_within_sum),
    }
    n_cells, n_draws = result.cell_n.size, len(result.placebo_within_sum)
    place = _places(result.cell_n.shape, panel.strata) | {"n_targets": result.cell_n.reshape(-1)}
    placebos = {"within_sum_mean": result.placebo_within_sum, "within_pairs": result.placebo_within_pairs}
    columns = {name: np.tile(values, 1 + n_draws) for name, values in place.items()}
    columns["draw"] = np.repeat(np.arange(1 + n_draws), n_cells)
    for name, values in own.items():
        rest = placebos[name].reshape(-1).tolist() if name in placebos else [None] * (n_draws * n_cells)
        columns[name] = [*values.reshape(-1).tolist(), *rest]
    return columns


def _pairs(sums: np.ndarray) -> np.ndarray:
    """Mean over neurons of the products of disjoint cells `[stratum, fold, bin]`, one stratum at a time."""
    return np.stack([disjoint_products(np.moveaxis(one, -1, 0)).mean(0) for one in sums])


def _behaviour(result: ProbeResult, panel: PanelArrays) -> Columns:
    shape = result.cell_n.shape
    cell = panel.stratum * (shape[1] * shape[2]) + panel.cell()
    counts = result.cell_n.reshape(-1)
    filled = counts > 0
    means = {
        name: np.bincount(cell, weights=values, minlength=counts.size)[filled] / counts[filled]
        for name, values in result.behaviour.items()
    }
    places = {name: values[filled] for name, values in _places(shape, panel.strata).items()}
    return {**places, "n_targets": counts[filled], **means}
