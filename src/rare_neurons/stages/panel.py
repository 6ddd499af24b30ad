"""Stage `panel`: the contexts and target positions at which every checkpoint is evaluated."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rare_neurons.catalogue import VERSIONS
from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.contexts import Contexts, cut_contexts
from rare_neurons.numerics.panel.grid import PanelGrid, lay_grid, measure_strata
from rare_neurons.numerics.panel.rows import StratumRow
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Most, Targets, draw_targets
from rare_neurons.tables import file_sha256, from_columns, from_rows, provenance, read_metadata, read_table, write_rows

FOUND = "found"
"""As many targets as there are."""


def write_panel(
    contexts: str,
    targets: str,
    strata: str,
    *,
    tokens: str,
    unigram: str,
    panel: str,
    settings: Mapping[str, object],
) -> None:
    """Draw a panel from the held-out documents of a corpus (from all where none is held out).

    The first three arguments are outputs, `tokens` and `unigram` inputs; `settings` are the panel's keys in the
    configuration, but for its corpus and tokenizer.

    Raises
    ------
    RequestError
        If the corpus is too small for the panel, the strata are empty or overlap, or a stratum's targets come from too
        few documents or token types.
    """
    found = draw_panel(tokens, unigram, panel, settings)
    rules = settings["strata"]
    inputs = {"tokens": file_sha256(tokens), "unigram": file_sha256(unigram)}
    known = {"strata": list(rules), "min_position": settings["min_position"]}
    about = provenance("panel", VERSIONS["panel"], settings, inputs, **known)
    write_rows("panel/contexts", from_columns("panel/contexts", {}, _contexts(found)), contexts, about)
    write_rows("panel/targets", from_columns("panel/targets", {}, _targets(found, tuple(rules))), targets, about)
    write_rows("panel/strata", from_rows("panel/strata", found.sizes), strata, about)
    for size in found.sizes:
        if size.status != "ok":
            print(f"warning: panel {panel!r}, stratum {size.stratum!r}: {size.reason}", file=sys.stderr)


def check_panels(tokens: str, panels: Mapping[str, Mapping[str, object]]) -> None:
    """Draw the panels of a corpus and throw them away, so that one that cannot be drawn is refused before a training.

    The training depends on no panel: another panel must not train anything again.

    Parameters
    ----------
    tokens : str
        Tokens of the corpus; its unigram table lies beside.
    panels : mapping
        Settings by name, as in `write_panel`.

    Raises
    ------
    RequestError
        As in `write_panel`.
    """
    for name, settings in panels.items():
        draw_panel(tokens, str(Path(tokens).with_name("unigram.parquet")), name, settings)


@dataclass(frozen=True)
class DrawnPanel:
    """A panel before it is written."""

    contexts: Contexts
    targets: Targets
    grid: PanelGrid
    sizes: list[StratumRow]


def draw_panel(tokens: str, unigram: str, panel: str, settings: Mapping[str, object]) -> DrawnPanel:
    """Draw a panel; see `write_panel` for its arguments and what is refused."""
    end_of_text = int(read_metadata(unigram)["end_of_text_id"])
    rules, draw = settings["strata"], ("min_position", "token_role", "seed")
    asked = settings["targets_per_stratum"]
    counts = read_table(unigram, ["count"])["count"].to_numpy()
    try:
        stratum_of_type = assign_strata(counts, rules)
        contexts = cut_contexts(
            _documents(tokens, end_of_text),
            end_of_text=end_of_text,
            context_length=settings["context_length"],
            max_contexts=settings.get("max_contexts"),
            max_per_document=settings["max_contexts_per_document"],
            seed=settings["seed"],
        )
        targets = draw_targets(
            contexts,
            stratum_of_type,
            tuple(rules),
            targets_per_stratum=None if asked == FOUND else int(asked),
            most=Most(settings["max_targets_per_type"], settings["max_targets_per_document"]),
            **{key: settings[key] for key in draw},
        )
        sizes = measure_strata(stratum_of_type, counts, targets, tuple(rules))
        grid = lay_grid(contexts, targets, n_strata=len(rules))
    except ValueError as error:
        raise RequestError(f"panel {panel!r}: {error}") from error
    return DrawnPanel(contexts, targets, grid, sizes)


def _documents(tokens: str, end_of_text: int) -> list[np.ndarray]:
    """Held-out documents (all where none is held out); those of one file are one document: they share its subject."""
    table = read_table(tokens, ["origin", "heldout", "token_ids"])
    heldout = table["heldout"].to_numpy()
    parts: dict[str, list[np.ndarray]] = {}
    for origin, ids, held in zip(table["origin"].to_pylist(), table["token_ids"], heldout, strict=True):
        if held or not heldout.any():
            parts.setdefault(origin, []).append(ids.values.to_numpy())
    end = np.array([end_of_text])
    return [np.concatenate([one for part in found for one in (end, part)][1:]) for found in parts.values()]


def _contexts(found: DrawnPanel) -> dict[str, Sequence[object]]:
    ids = found.contexts.token_ids
    return {"context": np.arange(len(ids)), "fold": found.grid.fold, "token_ids": list(ids.astype(np.int32))}


def _targets(found: DrawnPanel, names: tuple[str, ...]) -> dict[str, Sequence[object]]:
    kept = ("context", "position", "input_id", "target_id", "document")
    columns = {name: getattr(found.targets, name) for name in kept}
    return {**columns, "type_bin": found.grid.type_bin, "stratum": np.asarray(names)[found.targets.stratum]}
