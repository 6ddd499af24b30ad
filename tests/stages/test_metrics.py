"""Metrics of several checkpoints in one job: the tables of each stage on its own, and one that does not fit."""

from pathlib import Path

import numpy as np
import pytest

from rare_neurons.catalogue import METRICS
from rare_neurons.errors import RequestError
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.metric import write_metric
from rare_neurons.stages.metrics import write_metrics
from rare_neurons.stages.set_spectra import write_set_spectra
from tests.stages.tables import put, put_cells, put_influence, put_manifest

N_NEURONS, WIDTH = 20, 12
OPTIONS = {
    "set_spectra": {"share": 0.2, "select": "influence", "strata": ["rare"], "n_permutations": 19, "seed": 0},
    "inequality": {},
    "regimes": {"compare": [], "n_bins": 6, "n_resamples": 20, "confidence": 0.9, "seed": 0},
}
TABLES = ["set_spectra", *(table.name for rule in METRICS for table in rule.tables)]


@pytest.fixture
def shards(tmp_path, run):
    """Inputs of one checkpoint."""
    rng, place = np.random.default_rng(0), {"panel": "p", "model": "m", "step": 8}
    values = {stratum: rng.standard_normal(N_NEURONS) for stratum in ("common", "rare")}
    sums = {s: rng.standard_normal((N_FOLDS, N_FOLDS, N_NEURONS)).astype(np.float32) for s in values}
    gradients = [{"stratum": s, "gradient": rng.standard_normal(WIDTH).tolist()} for s in values]
    activations = [{"neuron": i, "activation_variance": 1.0 + i} for i in range(N_NEURONS)]
    return {
        "manifest": put_manifest(tmp_path / "manifest.json", run, 8),
        "influence": put_influence(tmp_path, place, values, influence_se=0.1),
        "cells": put_cells(tmp_path, place, sums),
        "activations": put(tmp_path, "activations", place, activations),
        "gradients": put(tmp_path, "gradients", place, gradients),
    }


def place_in(folder):
    return Workplace({"folder": str(folder / "cache"), "disk_gb": 1})


def lists(*of_each):
    return {name: [one[name] for one in of_each] for name in of_each[0]}


def test_tables_are_those_of_each_stage(shards, tmp_path):
    outputs = {name: str(tmp_path / f"{name}.parquet") for name in TABLES}
    write_metrics(lists(outputs), shards=lists(shards), null_tables=None, options=OPTIONS, place=place_in(tmp_path))
    alone = {name: str(tmp_path / "alone" / f"{name}.parquet") for name in TABLES}
    of_set = {name: path for name, path in shards.items() if name != "cells"}
    write_set_spectra(alone["set_spectra"], **of_set, options=OPTIONS["set_spectra"], place=place_in(tmp_path))
    for rule in METRICS:
        written = {table.name: alone[table.name] for table in rule.tables}
        inputs = {name: shards[name] for name in ("influence", "cells")}
        write_metric(written, **inputs, metric=rule.name, options=OPTIONS[rule.name])
    for name in TABLES:
        assert Path(outputs[name]).read_bytes() == Path(alone[name]).read_bytes(), name


def test_one_checkpoint_that_does_not_fit_does_not_stop_the_next(shards, tmp_path):
    outputs = [{name: str(tmp_path / str(i) / f"{name}.parquet") for name in TABLES} for i in (0, 1)]
    options = OPTIONS | {"set_spectra": OPTIONS["set_spectra"] | {"select": "influence_elsewhere"}}
    two = lists(shards, shards)
    with pytest.raises(RequestError, match="influence_elsewhere"):
        write_metrics(lists(*outputs), shards=two, null_tables=None, options=options, place=place_in(tmp_path))
    assert all(Path(one["regimes"]).is_file() for one in outputs)
