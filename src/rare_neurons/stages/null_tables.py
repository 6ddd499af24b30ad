"""Stage `null_tables`: null distributions of the regime test, which depend on the number of neurons alone."""

import numpy as np

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.regimes.null_tables import NullTable, NullTableRow, null_table_sizes, regime_null_table
from rare_neurons.stages.reporting import bar
from rare_neurons.tables import from_rows, provenance, read_table, write_rows


def write_null_tables(output: str, *, n_neurons: int, n_draws: int, seed: int) -> None:
    """Tabulate the nulls for a layer of `n_neurons` and for the smaller numbers that single signs have."""
    rows = []
    for n in bar(null_table_sizes(n_neurons), label=f"null tables, {n_neurons} neurons"):
        table = regime_null_table(n, n_draws=n_draws, seed=seed)
        columns = (table.family.tolist(), table.shape, table.n_spacings, table.statistic, table.mean_spacing)
        rows += [NullTableRow(n, *values) for values in zip(*columns, strict=True)]
    params = {"n_neurons": n_neurons, "n_draws": n_draws, "seed": seed}
    about = provenance("null_tables", VERSIONS["null_tables"], params, {})
    write_rows("null_tables", from_rows("null_tables", rows), output, about)


def read_null_tables(path: str) -> tuple[NullTable, ...]:
    """Read all tables of a file."""
    table = read_table(path)
    n = table["n"].to_numpy()
    statistic, mean = (np.array(table[name].to_pylist(), dtype=object) for name in ("statistic", "mean_spacing"))
    family = np.array(table["family"].to_pylist())
    shape, n_spacings = table["shape"].to_numpy(), table["n_spacings"].to_numpy()
    return tuple(
        NullTable(
            int(size),
            family[n == size],
            shape[n == size],
            n_spacings[n == size],
            np.array(statistic[n == size].tolist(), dtype=np.float64),
            np.array(mean[n == size].tolist(), dtype=np.float64),
        )
        for size in dict.fromkeys(n.tolist())
    )
