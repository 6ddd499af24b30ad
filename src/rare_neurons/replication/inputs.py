"""What the replication's tables and figures are made of: results of one subject and its controls, at several panels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.replication.answers import Answer, read_answer
from rare_neurons.replication.layout import CONTROL
from rare_neurons.replication.noise import NoiseBand, NoiseReading, hill_without_structure, noise_band, read_noise
from rare_neurons.results import load_evidence, load_influence, load_shards, load_timeline
from rare_neurons.tables import read_table

_NOISE_DRAWS = 200
_HILL_SETS = 499
_SEED = 0
ALL_SIGNS = "all"


@dataclass(frozen=True)
class Case:
    """One checkpoint that a table has a row for."""

    label: str
    model: str
    step: int


@dataclass(frozen=True)
class Tree:
    """A results tree as the replication sees it.

    Attributes
    ----------
    results : str
    subject : str
    models, controls : sequence of str
        Runs of the subject, and the runs on shuffled text that are its controls.
    strata : sequence of str
        The stratum that is asked about, and the one beside it.
    panels : mapping
        Settings by name: our panel first, then those whose strata go by the token read.
    """

    results: str
    subject: str
    models: Sequence[str]
    controls: Sequence[str]
    strata: Sequence[str]
    panels: Mapping[str, Mapping[str, object]]

    @property
    def runs(self) -> tuple[str, ...]:
        """The subject's runs, then its controls."""
        return (*self.models, *self.controls)

    @property
    def ours(self) -> str:
        """Our panel."""
        return next(iter(self.panels))

    @property
    def by_input(self) -> str | None:
        """The panel with our strata, but by the token read."""
        alike = [p for p in self._others if self.panels[p]["strata"] == self.panels[self.ours]["strata"]]
        return alike[0] if alike else None

    @property
    def draws(self) -> list[str]:
        """Panels of the studies' size and strata, each drawn afresh."""
        return [p for p in self._others if p != self.by_input]

    @property
    def _others(self) -> list[str]:
        return list(self.panels)[1:]

    @property
    def read_at(self) -> list[tuple[str, str]]:
        """Panel and stratum at which conventions are read: ours, and the first of the studies' draws."""
        theirs = [(p, list(self.panels[p]["strata"])[-1]) for p in self.draws[:1]]
        return [(self.ours, self.strata[0]), *theirs]

    @cached_property
    def timelines(self) -> dict[str, pd.DataFrame]:
        """Good checkpoints only."""
        names = ("behaviour", "influence", "inequality", "regimes", "set_spectra")
        return {name: load_timeline(self.results, name, models=self.runs) for name in names}

    @cached_property
    def activity(self) -> dict[str, pd.DataFrame]:
        """Timelines of what was measured at declared checkpoints."""
        return {"organisation": load_timeline(self.results, "organisation", models=self.runs)}

    @property
    def has_activity(self) -> bool:
        """Whether organisation and kinds were measured."""
        return Path(self.results, "timelines/activity_evidence", f"{self.subject}.parquet").exists()

    @cached_property
    def activity_evidence(self) -> pd.DataFrame:
        """What is said of organisation and kinds, tier by tier."""
        return load_timeline(self.results, "activity_evidence", models=self.subject)

    def measured(self, **where: object) -> pd.Series | None:
        """Return the first such row of the timeline of organisation, or None."""
        table = self.activity["organisation"]
        for column, value in where.items():
            table = table[table[column] == value]
        return table.iloc[0] if len(table) else None

    def shard(self, table: str, case: Case) -> pd.DataFrame | None:
        """Return a table of our panel at one checkpoint, or None where that was not declared."""
        path = Path(self.results, table, self.ours, case.model, f"step{case.step}.parquet")
        if not path.exists():
            return None
        return load_shards(self.results, table, models=case.model, steps=[case.step], panel=self.ours)

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """What is said of the subject, tier by tier."""
        return load_evidence(self.results, subjects=self.subject)

    @cached_property
    def noise(self) -> list[NoiseReading]:
        """What the conventions read from half-normal noise of as many neurons."""
        return read_noise(self.n_neurons, n_draws=_NOISE_DRAWS, seed=_SEED)

    @cached_property
    def noise_band(self) -> NoiseBand:
        """Where such noise lies, by rank and in the fixed window."""
        return noise_band(self.n_neurons, n_draws=_NOISE_DRAWS, seed=_SEED)

    @cached_property
    def n_neurons(self) -> int:
        """Neurons of the layer."""
        table = self.timelines["influence"]
        return int(table.n_neurons.iloc[0])

    def steps(self, model: str) -> list[int]:
        """Return the good steps of a run in rising order."""
        table = self.timelines["influence"]
        return sorted(int(s) for s in set(table.step[table.model == model]))

    def cases(self) -> Iterator[Case]:
        """Step 0 and the last good checkpoint of each run, and the last one of each control."""
        for model in self.models:
            if 0 in self.steps(model):
                yield Case(f"{model}, step 0", model, 0)
        for model in self.runs:
            last = self.steps(model)[-1]
            yield Case(f"{self.label(model)}, step {last:,}", model, last)

    def label(self, model: str) -> str:
        """Name a run as the tables do."""
        return f"{model}{CONTROL * (model in self.controls)}"

    def rows(self, quantity: str, **where: object) -> pd.DataFrame:
        """Return the rows of a timeline with these values."""
        table = self.timelines[quantity]
        for column, value in where.items():
            table = table[table[column] == value]
        return table

    def one(self, quantity: str, **where: object) -> pd.Series | None:
        """Return the first such row, or None."""
        found = self.rows(quantity, **where)
        return found.iloc[0] if len(found) else None

    def answers(self, panel: str) -> list[Answer]:
        """Return the answers to the questions about the stratum asked about, as declared."""
        rows = self.evidence
        mine = rows[(rows.panel == panel) & (rows.stratum == self.strata[0])]
        return [read_answer(asked) for _, asked in mine.groupby("declared")]

    def regime(self, case: Case, *, panel: str, stratum: str, convention: str) -> pd.Series | None:
        """Return what one convention reads at one checkpoint, all signs together."""
        where = {"model": case.model, "step": case.step, "panel": panel, "stratum": stratum}
        return self.one("regimes", **where, sign=ALL_SIGNS, convention=convention)

    def neurons(self, *, panel: str, model: str, step: int, stratum: str) -> pd.DataFrame:
        """Return the influence of every neuron at one checkpoint."""
        kept = {"models": model, "steps": [step], "stratum": stratum, "panel": panel}
        return load_influence(self.results, **kept).sort_values("neuron")

    def cells(self, *, panel: str, model: str, step: int, stratum: str) -> CellSums:
        """Return the sums over every cell of the grid at one checkpoint."""
        kept = {"models": model, "steps": [step], "stratum": stratum, "panel": panel}
        table = load_shards(self.results, "cells", **kept)
        place = table.fold.to_numpy(), table.type_bin.to_numpy()
        counts = np.zeros((N_FOLDS, N_FOLDS))
        counts[place] = table.n_targets
        sums = np.zeros((N_FOLDS, N_FOLDS, len(table.influence_sum.iloc[0])))
        sums[place] = np.array(table.influence_sum.tolist(), dtype=np.float64)
        return CellSums(sums, counts)

    def sizes(self, panel: str) -> pd.DataFrame:
        """Return how large each stratum of a panel is."""
        return read_table(Path(self.results, "panel", panel, "strata.parquet")).to_pandas()

    def targets(self, panel: str) -> pd.DataFrame:
        """Return the targets of a panel with their strata."""
        return read_table(Path(self.results, "panel", panel, "targets.parquet")).to_pandas()

    def training_counts(self, panel: str) -> np.ndarray:
        """Return the training count of every token type."""
        place = Path(self.results, "corpus", self.panels[panel]["corpus"], self.panels[panel]["tokenizer"])
        return read_table(place / "unigram.parquet", ["count"])["count"].to_numpy()

    @cached_property
    def gaussian_hill(self) -> dict[int, np.ndarray]:
        """Band of the Hill index of Gaussian rows of the layer's shape, by size of the set."""
        size = self.n_set
        sizes = sorted({s for s in (max(2, size // 2), size, 2 * size, 4 * size, 8 * size) if s <= self.n_neurons // 2})
        shape = {"width": self.d_model, "n_rows": self.n_neurons}
        bands = hill_without_structure(sizes, **shape, n_sets=_HILL_SETS, seed=_SEED)
        return dict(zip(sizes, bands, strict=True))

    @property
    def n_set(self) -> int:
        """Neurons in the sets of the tables."""
        return int(self.timelines["set_spectra"].n_set.iloc[0])

    @cached_property
    def d_model(self) -> int:
        """Width of the residual stream."""
        chosen = {"models": self.models[0], "panel": self.ours, "columns": ["gradient"]}
        return len(load_shards(self.results, "gradients", **chosen).gradient[0])
