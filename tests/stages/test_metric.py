"""A metric's tables against its function, called on the same arrays."""

from dataclasses import asdict

import numpy as np
import pyarrow.parquet as pq
import pytest

from rare_neurons.catalogue import METRICS
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.influence.inequality import measure_inequality
from rare_neurons.stages.metric import read_shard, write_metric
from rare_neurons.tables import in_order, read_metadata, read_table, table_schema
from tests.stages.tables import BAD, put, put_cells, put_influence

PLACE = {"panel": "p", "model": "m", "step": 8}
N = 12
RNG = np.random.default_rng(0)
INFLUENCE = {"common": RNG.standard_normal(N), "rare": RNG.standard_normal(N) ** 3}
SUMS = {stratum: RNG.standard_normal((N_FOLDS, N_FOLDS, N)).astype(np.float32) for stratum in INFLUENCE}
TABLES = {rule.name: [table.name for table in rule.tables] for rule in METRICS}


@pytest.fixture
def shards(tmp_path):
    influence = put_influence(tmp_path, PLACE, INFLUENCE, influence_se=0.1)
    return {"influence": influence, "cells": put_cells(tmp_path, PLACE, SUMS)}


def measure(folder, shards, metric="inequality"):
    outputs = {name: str(folder / f"{name}.parquet") for name in TABLES[metric]}
    write_metric(outputs, **shards, metric=metric, options={})
    return outputs


def test_rows_are_those_of_the_function(shards, tmp_path):
    found = read_table(measure(tmp_path / "out", shards)["inequality"]).to_pylist()
    expected = measure_inequality(read_shard(**shards))["inequality"]
    assert found == [{**PLACE, **asdict(row)} for row in expected]


def test_the_shard_is_what_the_tables_hold(shards):
    shard = read_shard(**shards)
    assert shard.strata == ("common", "rare")
    np.testing.assert_array_equal(shard.influence, [*INFLUENCE.values()])
    np.testing.assert_array_equal(shard.cell_sum, [*SUMS.values()])
    np.testing.assert_array_equal(shard.within_sum, [half / 2 for half in SUMS.values()])
    assert (shard.cell_n == 5).all()


def shuffle(path):
    """Put the rows of a file into another order, its metadata kept."""
    table = pq.read_table(path)
    kept = table.schema.metadata
    moved = table.take(np.random.default_rng(1).permutation(table.num_rows)).replace_schema_metadata(kept)
    pq.write_table(moved, path)
    keys = ("neuron",) if "neuron" in table.column_names else ("fold", "type_bin")
    assert not in_order(pq.read_table(path), ("stratum", *keys))


def test_the_order_of_the_rows_in_the_files_does_not_matter(shards, tmp_path):
    before = read_table(measure(tmp_path / "before", shards)["inequality"])
    sums = read_shard(**shards).cell_sum
    for path in shards.values():
        shuffle(path)
    assert read_table(measure(tmp_path / "after", shards)["inequality"]).equals(before)
    np.testing.assert_array_equal(read_shard(**shards).cell_sum, sums)


@pytest.mark.parametrize("metric", TABLES)
def test_a_bad_checkpoint_gives_empty_tables_that_say_why(tmp_path, metric):
    shards = {name: put(tmp_path, name, PLACE, [], BAD) for name in ("influence", "cells")}
    for name, path in measure(tmp_path / "out", shards, metric).items():
        table = read_table(path)
        assert table.num_rows == 0
        assert table.schema.equals(table_schema(name))
        about = read_metadata(path)
        assert (about["status"], about["reason"]) == (BAD["status"], BAD["reason"])
