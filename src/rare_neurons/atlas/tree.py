"""What a results tree has, as views ask for it; what is not there is said in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from rare_neurons.atlas.view import NothingToShow
from rare_neurons.figures.style import stratum_colours
from rare_neurons.results import list_models, load_integrity
from rare_neurons.selection import Choice, read_joined
from rare_neurons.tables import find_tables, read_table

_MADE_BY = {
    "layer_influence": "layers",
    "layer_audit": "layers",
    "kinds": "activity",
    "examples": "activity",
    "readout": "activity",
    "allocation": "allocation",
}
"""Sections of the configuration that ask for tables which a run need not have."""


@dataclass(frozen=True)
class Subject:
    """Runs of one recipe, with their controls.

    Attributes
    ----------
    name : str
    runs, controls : tuple of str
        Models.
    """

    name: str
    runs: tuple[str, ...]
    controls: tuple[str, ...] = ()


def find_subjects(results: str | Path) -> list[Subject]:
    """Find the subjects of a tree by its evidence; models without any stand by themselves."""
    found = []
    for (_, name), path in find_tables(results, "timelines/evidence").items():
        rows = read_table(path, ["run", "role"]).to_pylist()
        runs, controls = (
            tuple(dict.fromkeys(row["run"] for row in rows if row["role"] == role)) for role in ("run", "control")
        )
        found.append(Subject(str(name), runs, controls))
    # What is a control elsewhere comes last: it is there to be compared with.
    found = sorted(found, key=lambda one: any(set(one.runs) <= set(other.controls) for other in found))
    known = {model for one in found for model in (*one.runs, *one.controls)}
    return found + [Subject(model, (model,)) for model in list_models(results) if model not in known]


@dataclass(frozen=True)
class Tree:
    """A results folder and whom it is about.

    Attributes
    ----------
    results : str or Path
    subjects : sequence of Subject
    panel : str or None
        The panel that the page is about; None where nothing was measured on text.
    """

    results: str | Path
    subjects: Sequence[Subject]
    panel: str | None = None
    _read: dict[tuple, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def models(self) -> list[str]:
        """Every model once, runs before controls."""
        return list(dict.fromkeys(m for one in self.subjects for m in (*one.runs, *one.controls)))

    @cached_property
    def panels(self) -> list[str]:
        """Panels with anything measured."""
        return list(dict.fromkeys(str(key[1]) for key in find_tables(self.results, "influence")))

    @cached_property
    def strata(self) -> list[str]:
        """Strata of the panel, common ones first, as they were measured."""
        sizes = self._strata_table()
        if sizes is not None:
            return list(sizes.sort_values("largest_count", ascending=False, kind="stable").stratum)
        found = (self.timeline("behaviour", [model], needed=False) for model in self.models)
        return list(dict.fromkeys(stratum for table in found if len(table) for stratum in table.stratum))

    @property
    def colours(self) -> Mapping[str, str]:
        """Colour of every stratum, as in the figures."""
        return stratum_colours(self.strata)

    @cached_property
    def integrity(self) -> pd.DataFrame:
        """Verdict on every checkpoint of every model."""
        there = {str(model) for _, model in find_tables(self.results, "integrity")}
        models = [model for model in self.models if model in there]
        if not models:
            raise NothingToShow("No checkpoint has a verdict: the tables integrity/ are missing.")
        return load_integrity(self.results, models=models)

    def timeline(self, quantity: str, owners: Sequence[str], *, needed: bool = True) -> pd.DataFrame:
        """Rows of a joined table of these models (or subjects), at the page's panel, quarantined ones among them.

        Parameters
        ----------
        quantity : str
            Folder below ``timelines``.
        owners : sequence of str
            Models, or subjects where it has one file for each; those without a file are left out.
        needed : bool
            Whether `NothingToShow` is raised where there is no row.
        """
        name = f"timelines/{quantity}"
        there = {str(key[-1]) for key in find_tables(self.results, name)}
        chosen = tuple(one for one in owners if one in there)
        if not chosen:
            return self._nothing(name) if needed else pd.DataFrame()
        key = (name, chosen)
        if key not in self._read:
            table = read_joined(self.results, name, Choice(chosen)).to_pandas()
            self._read[key] = table[table.panel == self.panel] if "panel" in table else table
        if needed and self._read[key].empty:
            return self._nothing(name)
        return self._read[key]

    def shards(self, table: str, model: str) -> dict[int | str, Path]:
        """Files of one table and model by step (or interval), at the page's panel; empty where there are none."""
        found = find_tables(self.results, table).items()
        about = [(key[-1], path) for key, path in found if key[-2] == model and (len(key) < 4 or key[1] == self.panel)]
        return dict(about)

    def steps(self, model: str) -> list[int]:
        """Return the steps of the checkpoints that a model was asked for."""
        return [int(step) for step in self.integrity[self.integrity.model == model].step]

    def _nothing(self, name: str) -> pd.DataFrame:
        asked = _MADE_BY.get(name.removeprefix("timelines/"))
        remedy = f"; the section {asked!r} of the configuration asks for it" if asked else ""
        raise NothingToShow(f"Not in this results tree: {name}{remedy}.")

    def _strata_table(self) -> pd.DataFrame | None:
        path = find_tables(self.results, "panel/strata").get(("panel/strata", self.panel))
        return None if path is None else read_table(path).to_pandas()

    def facts(self) -> Mapping[str, object]:
        """Return what every script knows: ``atlas.tree``."""
        return {
            "panel": self.panel,
            "panels": self.panels,
            "strata": [{"name": name, "colour": colour} for name, colour in self.colours.items()],
            "subjects": [
                {"name": one.name, "runs": list(one.runs), "controls": list(one.controls)} for one in self.subjects
            ],
            "models": {model: self._checkpoints(model) for model in self.models},
        }

    def _checkpoints(self, model: str) -> Mapping[str, object]:
        """Return the steps of a model with tokens, loss and verdict, None where unknown."""
        verdicts = self.integrity[self.integrity.model == model]
        behaviour = self.timeline("behaviour", [model], needed=False)
        weights = (
            {}
            if (sizes := self._strata_table()) is None
            else dict(zip(sizes.stratum, sizes.training_mass, strict=True))
        )
        tokens: dict[int, float | None] = {}
        losses: dict[int, float | None] = {}
        for step, rows in behaviour.groupby("step") if len(behaviour) else ():
            tokens[step] = _number(rows.tokens_seen.iloc[0])
            share = np.array([weights.get(stratum, 1.0) for stratum in rows.stratum])
            losses[step] = _number(np.average(rows.loss, weights=share))
        return {
            "steps": [int(step) for step in verdicts.step],
            "tokens": [tokens.get(step) for step in verdicts.step],
            "loss": [losses.get(step) for step in verdicts.step],
            "quarantined": [bool(one) for one in verdicts.quarantined],
        }


def _number(value: object) -> float | None:
    # A model that diverged may have an infinite loss, which a page cannot hold.
    return None if value is None or not np.isfinite(value) else float(value)
