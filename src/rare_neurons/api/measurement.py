"""What a measurement in memory gives: documented tables, figures of them, and shards on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from rare_neurons.catalogue import VERSIONS
from rare_neurons.errors import RequestError
from rare_neurons.selection import refuse
from rare_neurons.tables import provenance, read_metadata, table_entry, table_schema, write_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN_PANEL = "own"
"""Name under which a panel in memory is written where none is given."""


@dataclass(frozen=True)
class Measurement:
    """Tables of one model in memory: those of the pipeline, without the columns that say which checkpoint it is.

    Attributes
    ----------
    tables : mapping of str to pyarrow.Table
        By name in the catalogue (results/README.md has every column); the schema of each has units and meanings. The
        first is what `to_pandas` gives by default.
    about : mapping of str to mapping
        What went into each: the keys of a shard's metadata. ``inputs`` are digests of the parameters and of the panel,
        for there are no files.
    """

    tables: Mapping[str, pa.Table]
    about: Mapping[str, Mapping[str, object]]

    def to_arrow(self, table: str | None = None) -> pa.Table:
        """Return one table, by default the first.

        Raises
        ------
        RequestError
            Naming the tables that there are.
        """
        name = next(iter(self.tables)) if table is None else table
        if name not in self.tables:
            refuse("table", [name], self.tables, "this measurement")
        return self.tables[name]

    def to_pandas(self, table: str | None = None) -> pd.DataFrame:
        """Return one table as a data frame, by default the first."""
        return self.to_arrow(table).to_pandas()

    def plot(self, kind: str | None = None, *, ax: "Axes | None" = None, column: str | None = None) -> "Figure":
        """Draw a figure of the first table.

        Parameters
        ----------
        kind : str, optional
            One of those that `rare_neurons.api.plots` has for the table; by default the first.
        ax : matplotlib.axes.Axes, optional
            Drawn into instead of a new figure.
        column : str, optional
            Another quantity of the table than the figure's own: ``influence_within`` for ``influence``.
        """
        from rare_neurons.api.plots import PLOTS

        known = PLOTS[next(iter(self.tables))]
        if kind is not None and kind not in known:
            refuse("figure", [kind], known, "this measurement")
        own = {} if column is None else {"column": column}
        return known[kind or next(iter(known))](self.to_pandas(), ax, **own)

    def write(self, results: str | Path, *, model: str, step: int, panel: str = OWN_PANEL) -> list[Path]:
        """Write the tables as shards of a results folder, where loaders find them.

        They name the parameters and panel in memory that they are made of, and no files: a run of the pipeline that
        asks for the same model refuses them instead of taking them for its own.

        Parameters
        ----------
        results : str or Path
        model : str
            Name that loaders know it by.
        step : int
            Optimizer updates.
        panel : str
            Name of the panel, where the tables have one.

        Raises
        ------
        RequestError
            If a shard is there that is made of something else.
        """
        place = {"panel": panel, "model": model, "step": step}
        if not isinstance(step, int) or step < 0:
            raise RequestError(f"step={step!r}: a step is a whole number from 0 on")
        bad = [name for name in (model, panel) if not name or name.startswith(".") or set(name) & set("/{}\0")]
        if bad:
            raise RequestError(f"{bad[0]!r} is no name of a model or panel: it is the name of a folder")
        paths = {name: Path(results) / table_entry(name).path.format(**place) for name in self.tables}
        for name, path in paths.items():
            if path.exists() and not _same(read_metadata(path), self.about[name]):
                raise RequestError(f"{path} is there and is made of something else; name another model or folder")
        for name, path in paths.items():
            write_rows(name, _placed(name, self.tables[name], place), path, self.about[name])
        return list(paths.values())


def unplaced(name: str, table: pa.Table) -> pa.Table:
    """Drop the columns that say which checkpoint and panel a table of the catalogue is of."""
    return table.drop_columns([column for column in table_entry(name).place if column in table.column_names])


def about_tables(
    rule: str, params: Mapping[str, Mapping[str, object]], inputs: Mapping[str, str], **more: object
) -> dict[str, dict[str, object]]:
    """Provenance of the tables of a rule, with the keys that its shards have; there is no commit and no file."""
    absent = {"commit": None, "weights_sha256": None}
    done = {"status": "ok", "reason": None}
    return {
        name: provenance(rule, VERSIONS[rule], some, inputs, **absent, **more, **done) for name, some in params.items()
    }


def _placed(name: str, table: pa.Table, place: Mapping[str, object]) -> pa.Table:
    schema = table_schema(name)
    n = table.num_rows
    columns = [pa.array([place[f.name]] * n, type=f.type) if f.name in place else table[f.name] for f in schema]
    return pa.table(columns, schema=schema)


def _same(found: Mapping[str, object], due: Mapping[str, object]) -> bool:
    keys = ("rule", "rule_version", "params_sha256", "inputs_sha256")
    return all(found.get(key) == due[key] for key in keys)
