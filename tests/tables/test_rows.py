import numpy as np
import pyarrow as pa
import pytest

from rare_neurons.numerics.influence.rows import GradientRow
from rare_neurons.tables import empty_table, from_columns, from_rows, read_table, write_rows

PLACE = {"panel": "p", "model": "m", "step": 4}


def test_rows_and_columns_make_the_same_table():
    rows = [GradientRow("common", [1.0, 2.0]), GradientRow("rare", [3.0, 4.0])]
    columns = {"stratum": ["common", "rare"], "gradient": list(np.array([[1.0, 2.0], [3.0, 4.0]]))}
    assert from_rows("gradients", rows, PLACE).equals(from_columns("gradients", PLACE, columns))


def test_a_table_is_written_in_the_order_of_its_keys(tmp_path):
    rows = [GradientRow("rare", [3.0]), GradientRow("common", [1.0])]
    write_rows("gradients", from_rows("gradients", rows, PLACE), tmp_path / "t.parquet", {})
    assert read_table(tmp_path / "t.parquet")["stratum"].to_pylist() == ["common", "rare"]


def test_a_table_that_is_not_the_catalogues_is_refused(tmp_path):
    with pytest.raises(ValueError, match="table 'gradients': columns gradient, panel, stratum, x are not those"):
        write_rows("gradients", pa.table({"x": [1], "model": ["m"], "step": [4]}), tmp_path / "t.parquet", {})
    assert not (tmp_path / "t.parquet").exists()


def test_an_empty_table_has_all_columns():
    assert empty_table("influence").num_rows == 0
    assert "influence_within" in empty_table("influence").schema.names
