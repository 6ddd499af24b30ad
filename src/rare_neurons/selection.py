"""Arrow tables of a results folder: only the files, rows and columns that are asked for, and what is not there refused.

For the package itself; people use `rare_neurons.results`.
"""

import operator
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.catalogue import TABLES, TIMELINES
from rare_neurons.errors import DamagedTable, RequestError
from rare_neurons.tables import Part, find_tables, keys_of, parts_of, read_footer, sort_rows, table_entry

T = TypeVar("T")
SHARDS = {name: table for name, table in TABLES.items() if table.path.endswith("/step{step}.parquet")}
"""Tables with one file per model and step, and per panel where they have one."""
UNHELD = (
    *("members", "changed", "alpha_events", "evidence", "onsets", "turns", "courses"),
    *("layer_evidence", "activity_evidence"),
)
"""Timelines that quarantined checkpoints never enter."""
_PACKAGE = str(Path(__file__).parent)
_NEAR = 3  # nearest steps in a message


class MissingSteps(UserWarning):
    """Steps were asked for that some, but not all, of the chosen models have."""


@dataclass(frozen=True)
class Choice:
    """Which models, checkpoints, columns and rows are asked for.

    Attributes
    ----------
    models : str or iterable of str or None
        Models, or subjects where a table has one file for each; all where None.
    steps : int or iterable of int or None
    columns : str or iterable of str or None
    where : mapping
        Further columns and the value, or values, that they must have.
    """

    models: str | Iterable[str] | None = None
    steps: int | Iterable[int] | None = None
    columns: str | Iterable[str] | None = None
    where: Mapping[str, object] = field(default_factory=dict)

    @property
    def wanted_steps(self) -> set[int] | None:
        """Steps as whole numbers, None for all."""
        if self.steps is None:
            return None
        try:
            return {operator.index(step) for step in _values("steps", self.steps)}
        except TypeError:
            raise RequestError(f"steps={self.steps!r}: a step is a whole number, not this") from None


def read_timeline(results: str | Path, quantity: str, choice: Choice, *, include_quarantined: bool = False) -> pa.Table:
    """Read one quantity over all steps; see `rare_neurons.results.load_timeline`."""
    known = [name.removeprefix("timelines/") for name in (*TIMELINES, *TABLES) if name.startswith("timelines/")]
    if quantity not in known:
        refuse("quantity", [quantity], known, "timelines")
    held = not include_quarantined and quantity not in UNHELD
    return read_joined(results, f"timelines/{quantity}", choice, held=held)


def read_joined(results: str | Path, name: str, choice: Choice, *, held: bool = False) -> pa.Table:
    """Read a table with one file for each model, or subject; without quarantined checkpoints where `held`."""
    found = {str(key[-1]): path for key, path in find_tables(_folder(results, name), name).items()}
    label = table_entry(name).wildcards[-1]
    files = {one: [Part(path)] for one, path in _choose(found, choice.models, label, Path(results) / name).items()}
    return _Reading(files, choice, choice.wanted_steps, held).table()


def read_shards(results: str | Path, table: str, choice: Choice) -> pa.Table:
    """Read a per-checkpoint table: one of `SHARDS`."""
    if table not in SHARDS:
        refuse("table", [table], list(SHARDS), "the tables with one file for each checkpoint")
    where = dict(choice.where)
    panels = where.pop("panel", None) if "panel" in SHARDS[table].wildcards else None
    root = Path(results) / table
    by_model = shards_by_model(results, table)
    chosen = _choose(by_model, choice.models, "model", root)
    if panels is not None:
        asked = {str(panel) for panel in _values("panel", panels)}
        there = dict.fromkeys(panel for paths in chosen.values() for panel, _ in paths)
        _refuse_missing("panel", asked, there, root)
        chosen = {m: {key: p for key, p in paths.items() if key[0] in asked} for m, paths in chosen.items()}
    steps = choice.wanted_steps
    if steps is not None:
        _name_missing(steps, {model: {key[-1] for key in paths} for model, paths in chosen.items()}, root)
    files = {m: [p for key, p in paths.items() if steps is None or key[-1] in steps] for m, paths in chosen.items()}
    if not any(files.values()):
        raise RequestError(f"no {table} of {', '.join(chosen)} in {root}")
    parts = {m: parts_of(results, table, m, shards=[*by_model[m].values()], wanted=p) for m, p in files.items()}
    return _Reading(parts, Choice(columns=choice.columns, where=where), None, False).table()


def shards_by_model(results: str | Path, table: str) -> dict[str, dict[tuple[str, int], Path]]:
    """Find all shards of a table by model, then by panel, where it has them, and step."""
    found: dict[str, dict[tuple[str, int], Path]] = {}
    for (_, *panel, model, step), path in find_tables(_folder(results, table), table).items():
        found.setdefault(str(model), {})[(*map(str, panel), int(step))] = path
    return found


def refuse(what: str, missing: Iterable[object], known: Iterable[object], place: object) -> NoReturn:
    """Refuse names, or numbers, that are not among the known ones: with those that are near, and all there are."""
    missing, known = list(missing), list(known)
    near: list[object] = []
    for one in missing:
        if isinstance(one, str):
            words = {str(name).lower(): name for name in known}
            near += [words[word] for word in get_close_matches(one.lower(), words, n=_NEAR, cutoff=0.5)]
        elif isinstance(one, int | float):
            numbers = [n for n in known if isinstance(n, int | float)]
            near += sorted(sorted(numbers, key=lambda n, one=one: abs(n - one))[:_NEAR])
    meant = f"; near: {_named(dict.fromkeys(near))}" if near else ""
    raise RequestError(f"no {what} {_named(map(repr, missing))} in {place}{meant}; there: {_named(known) or 'nothing'}")


@dataclass(frozen=True)
class _Seen:
    """Rows of one file that are asked for, and what it has of the columns that choose."""

    table: pa.Table
    values: Mapping[str, set[object]]
    steps: set[int]
    held: set[int]


@dataclass(frozen=True)
class _Reading:
    """Files by model, and what is asked of their rows."""

    files: Mapping[str, Sequence[Part]]
    choice: Choice
    steps: set[int] | None
    held: bool

    def table(self) -> pa.Table:
        """Read each file by itself, so that only what is asked for stays in memory."""
        paths = [(model, part) for model, some in self.files.items() for part in some]
        schema = read_footer(paths[0][1].path)
        where = {name: _values(name, value) for name, value in self.choice.where.items() if value is not None}
        columns = None if self.choice.columns is None else [str(c) for c in _values("columns", self.choice.columns)]
        needed = [*(columns or ()), *where, *(["step"] if self.steps is not None else [])]
        place = paths[0][1].path.parent
        unknown = sorted(set(needed) - set(schema.names))
        if unknown:
            hint = ": a data frame is the default, format='arrow' gives Arrow" if "pandas" in unknown else ""
            refuse("column", unknown, schema.names, f"{place}{hint}")
        keys = keys_of(schema)
        wanted = schema.names if columns is None else list(dict.fromkeys([*columns, *keys]))
        with ThreadPoolExecutor(max_workers=pa.cpu_count()) as pool:
            seen = list(pool.map(lambda one: self._rows(one[1], schema, wanted, where), paths))
        self._refuse_values(seen, where, schema, place)
        if self.steps is not None:
            self._name_steps(paths, seen, place)
        try:
            table = sort_rows(pa.concat_tables([one.table for one in seen]), keys)
        except ValueError as error:
            raise DamagedTable(place, str(error)) from error
        return table if columns is None else table.select(columns)

    def _rows(
        self, part: Part, schema: pa.Schema, wanted: Sequence[str], where: Mapping[str, Sequence[object]]
    ) -> _Seen:
        choosing = [*where, *(["step"] if self.steps is not None else []), *(["quarantined"] if self.held else [])]
        table = _columns(part, schema, list(dict.fromkeys([*wanted, *choosing])))
        values = {name: _distinct(table[name]) for name in where}
        good = table.filter(pc.invert(table["quarantined"])) if self.held else table
        there = _distinct(table["step"]) if self.steps is not None else set()
        held = there - _distinct(good["step"]) if self.steps is not None else set()
        keep = {name: [v for v in some if v in values[name]] for name, some in where.items()}
        keep |= {} if self.steps is None else {"step": sorted(self.steps & there)}
        for name, some in keep.items():
            good = good.filter(pc.is_in(good[name], value_set=pa.array(some, type=table.schema.field(name).type)))
        return _Seen(good.select(list(wanted)), values, there, held)

    def _refuse_values(
        self, seen: Sequence[_Seen], where: Mapping[str, Sequence[object]], schema: pa.Schema, place: Path
    ) -> None:
        """Words and whole numbers that no file has; of measured values there may be none."""
        for name, asked in where.items():
            kind = schema.field(name).type
            there = set().union(*(one.values[name] for one in seen))
            if there and not (pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                _refuse_missing(name, asked, sorted(there, key=lambda v: (v is None, v)), place)

    def _name_steps(self, paths: Sequence[tuple[str, Part]], seen: Sequence[_Seen], place: Path) -> None:
        there: dict[str, set[int]] = {}
        for (model, _), one in zip(paths, seen, strict=True):
            there.setdefault(model, set()).update(one.steps)
        if any(there.values()):
            _name_missing(self.steps, there, place)
        for (model, _), one in zip(paths, seen, strict=True):
            for step in sorted(one.held & self.steps):
                _warn(f"step {step} of {model} is quarantined and left out; include_quarantined=True keeps it")


def _columns(part: Part, schema: pa.Schema, wanted: Sequence[str]) -> pa.Table:
    """Read columns of a checked file; those that it does not have are null."""
    table = part.read(wanted)
    for name in wanted:  # of an earlier version
        if name not in table.column_names:
            table = table.append_column(schema.field(name), pa.nulls(table.num_rows, schema.field(name).type))
    return table


def _folder(results: str | Path, name: str) -> Path:
    if not Path(results).is_dir():
        raise RequestError(f"no {name}: there is no results folder {results}; name the one that a run has written")
    return Path(results)


def _choose(found: Mapping[str, T], wanted: str | Iterable[str] | None, label: str, folder: Path) -> dict[str, T]:
    if not found:
        parent = folder.parent
        there = sorted(path.name for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
        raise RequestError(f"no {folder.name} in {parent}; there: {', '.join(there) or 'nothing'}")
    names = list(found) if wanted is None else [str(name) for name in _values(f"{label}s", wanted)]
    _refuse_missing(label, names, found, folder)
    return {name: found[name] for name in names}


def _refuse_missing(what: str, asked: Iterable[object], known: Iterable[object], place: Path) -> None:
    known = list(known)
    missing = [one for one in dict.fromkeys(asked) if one not in known]
    if missing:
        refuse(what, missing, known, place)


def _name_missing(steps: set[int], there: Mapping[str, set[int]], place: Path) -> None:
    """Refuse steps that no model has, and name those that some have."""
    everywhere = sorted(set().union(*there.values()))
    nowhere = sorted(steps - set(everywhere))
    if nowhere:
        refuse("step", nowhere, everywhere, place)
    for model, known in there.items():
        if steps - known:
            _warn(f"no step {_named(sorted(steps - known))} of {model} in {place}; there: {_named(sorted(known))}")


def _warn(text: str) -> None:
    """Warn where a loader was called, however many functions of this package lie between."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, MissingSteps, stacklevel=level)


def _named(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _values(name: str, value: object) -> list[object]:
    """One value or several as a list of plain ones."""
    single = isinstance(value, str | bytes) or not isinstance(value, Iterable)
    values = [one.item() if hasattr(one, "item") else one for one in ([value] if single else value)]
    if not values:
        raise RequestError(f"{name}: an empty list; leave it out for all")
    return values


def _distinct(column: pa.ChunkedArray) -> set[object]:
    if pa.types.is_list(column.type):
        raise RequestError("rows are chosen by words and numbers, not by a column of lists")
    return set(pc.unique(column).to_pylist())
