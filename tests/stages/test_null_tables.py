import numpy as np

from rare_neurons.numerics.regimes.null_tables import null_table_sizes, regime_null_table
from rare_neurons.stages.null_tables import read_null_tables, write_null_tables
from rare_neurons.tables import read_metadata

SETTINGS = {"n_draws": 20, "seed": 3}


def test_tables_are_read_as_they_were_simulated(tmp_path):
    path = str(tmp_path / "null_tables.parquet")
    write_null_tables(path, n_neurons=90, **SETTINGS)
    found = {table.n: table for table in read_null_tables(path)}
    assert sorted(found) == sorted(null_table_sizes(90)) == [64, 90]
    for n, table in found.items():
        made = regime_null_table(n, **SETTINGS)
        for name in ("family", "shape", "n_spacings", "statistic", "mean_spacing"):
            np.testing.assert_array_equal(getattr(table, name), getattr(made, name), err_msg=name)
    assert read_metadata(path)["params"] == {"n_neurons": 90, **SETTINGS}


def test_a_layer_too_small_for_any_table_gives_none(tmp_path):
    path = str(tmp_path / "null_tables.parquet")
    write_null_tables(path, n_neurons=61, **SETTINGS)
    assert read_null_tables(path) == ()
