"""Where the claims' inputs are: shards by model and step, and the last good step of each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from rare_neurons.tables import file_sha256, index_paths, read_table

LAST, START = "last checkpoint", "step 0"
SHARDS = ("influence", "folds", "regimes", "set_spectra")


class Results:
    """Where the tables are, and which of them were read."""

    def __init__(self, shards: Sequence[str], integrity: Sequence[str], timelines: Sequence[str]) -> None:
        self._paths = index_paths((*shards, *integrity, *timelines))
        self._read: set[str] = set()

    def shard(self, table: str, panel: str, model: str, step: int) -> str:
        """Return the path of a shard, which counts as read from here on."""
        path = self._paths[table, panel, model, step]
        self._read.add(path)
        return path

    def good_steps(self, model: str) -> list[int]:
        """List the steps of a model that are not quarantined, ascending."""
        rows = read_table(self._paths["integrity", model], ["step", "quarantined"]).to_pylist()
        return sorted(row["step"] for row in rows if not row["quarantined"])

    def timeline(self, table: str, model: str) -> pa.Table:
        """Read one quantity of a model over its steps."""
        return read_table(self._paths[f"timelines/{table}", model])

    def digests(self) -> list[str]:
        """Return the digests of the shards that were read."""
        return [file_sha256(path) for path in sorted(self._read)]


@dataclass(frozen=True)
class Runs:
    """The runs of a subject, and those of its control, at one panel."""

    results: Results
    panel: str
    models: tuple[str, ...]
    shuffled: tuple[str, ...]
    options: Mapping[str, object]

    @property
    def confidence(self) -> float:
        """Coverage of the claims' intervals."""
        return float(self.options["confidence"])

    def step(self, model: str, at: str) -> int | None:
        """Return the last good step of a model, or its step 0 if that is one; None where there is no such step."""
        good = self.results.good_steps(model)
        if at == LAST:
            return good[-1] if good else None
        return 0 if 0 in good else None

    def shards(self, models: Sequence[str], at: str, table: str) -> list[str] | None:
        """Paths of a table, one per model; None where a model has no such step."""
        steps = [self.step(model, at) for model in models]
        if not models or None in steps:
            return None
        return [self.results.shard(table, self.panel, m, s) for m, s in zip(models, steps, strict=True)]
