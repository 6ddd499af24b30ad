"""Stage `panel`: the contexts and target positions at which every checkpoint is evaluated."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rare_neurons.catalogue import VERSIONS
from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.contexts import Contexts, cut_contexts
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Targets, draw_targets, measure_strata
from rare_neurons.tables import file_sha256, from_columns, from_rows, provenance, read_metadata, read_table, write_rows


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
        If the corpus is too small for the panel, or the strata are empty or overlap.
    """
    drawn, chosen, stratum_of_type, counts = _draw(tokens, unigram, panel, settings)
    rules = settings["strata"]
    inputs = {"tokens": file_sha256(tokens), "unigram": file_sha256(unigram)}
    known = {"strata": list(rules), "min_position": settings["min_position"]}
    about = provenance("panel", VERSIONS["panel"], settings, inputs, **known)
    names = tuple(rules)
    write_rows("panel/contexts", from_columns("panel/contexts", {}, _contexts(drawn)), contexts, about)
    write_rows("panel/targets", from_columns("panel/targets", {}, _targets(chosen, names)), targets, about)
    sizes = from_rows("panel/strata", measure_strata(stratum_of_type, counts, chosen, names))
    write_rows("panel/strata", sizes, strata, about)


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
        _draw(tokens, str(Path(tokens).with_name("unigram.parquet")), name, settings)


def _draw(
    tokens: str, unigram: str, panel: str, settings: Mapping[str, object]
) -> tuple[Contexts, Targets, np.ndarray, np.ndarray]:
    """Contexts, targets, stratum of each type, and count of each type."""
    end_of_text = int(read_metadata(unigram)["end_of_text_id"])
    rules, draw = settings["strata"], ("targets_per_stratum", "min_position", "token_role", "seed")
    counts = read_table(unigram, ["count"])["count"].to_numpy()
    try:
        stratum_of_type = assign_strata(counts, rules)
        drawn = cut_contexts(
            _documents(tokens),
            end_of_text=end_of_text,
            context_length=settings["context_length"],
            max_contexts=settings.get("max_contexts"),
            seed=settings["seed"],
        )
        chosen = draw_targets(
            drawn,
            stratum_of_type,
            tuple(rules),
            max_per_type=settings["max_targets_per_type"],
            **{key: settings[key] for key in draw},
        )
    except ValueError as error:
        raise RequestError(f"panel {panel!r}: {error}") from error
    return drawn, chosen, stratum_of_type, counts


def _documents(tokens: str) -> list[np.ndarray]:
    table = read_table(tokens, ["heldout", "token_ids"])
    heldout = table["heldout"].to_numpy()
    documents = [row.values.to_numpy() for row in table["token_ids"]]
    return [d for d, held in zip(documents, heldout, strict=True) if held or not heldout.any()]


def _contexts(contexts: Contexts) -> dict[str, Sequence[object]]:
    return {
        "context": np.arange(len(contexts.fold)),
        "fold": contexts.fold,
        "half": np.where(contexts.half == 0, "A", "B"),
        "token_ids": list(contexts.token_ids.astype(np.int32)),
    }


def _targets(targets: Targets, names: tuple[str, ...]) -> dict[str, Sequence[object]]:
    columns = {name: getattr(targets, name) for name in ("context", "position", "input_id", "target_id")}
    return {**columns, "stratum": np.asarray(names)[targets.stratum]}
