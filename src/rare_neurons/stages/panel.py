"""Stage `panel`: the contexts and target positions at which every checkpoint is evaluated."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.contexts import Contexts, cut_contexts
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Targets, draw_targets
from rare_neurons.tables import file_sha256, provenance, read_metadata, read_table, write_table


def write_panel(
    contexts: str,
    targets: str,
    strata: str,
    *,
    tokens: str,
    unigram: str,
    panel: str,
    settings: Mapping[str, object],
    version: int,
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
    about = provenance("panel", version, settings, inputs, strata=list(rules), min_position=settings["min_position"])
    write_table(_contexts_table(drawn), contexts, about)
    write_table(_targets_table(chosen, tuple(rules)), targets, about)
    write_table(_strata_table(stratum_of_type, counts, chosen, tuple(rules)), strata, about)


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


def _contexts_table(contexts: Contexts) -> pa.Table:
    return pa.table(
        {
            "context": np.arange(len(contexts.fold)),
            "fold": contexts.fold,
            "half": np.where(contexts.half == 0, "A", "B"),
            "token_ids": pa.array(list(contexts.token_ids.astype(np.int32)), type=pa.list_(pa.int32())),
        }
    )


def _targets_table(targets: Targets, names: tuple[str, ...]) -> pa.Table:
    return pa.table(
        {
            "context": targets.context,
            "position": targets.position,
            "input_id": targets.input_id,
            "target_id": targets.target_id,
            "stratum": np.asarray(names)[targets.stratum],
        }
    )


def _strata_table(strata: np.ndarray, counts: np.ndarray, targets: Targets, names: tuple[str, ...]) -> pa.Table:
    """One row per stratum: how large it is in the vocabulary, the training text and the panel."""
    rows = []
    for index, name in enumerate(names):
        types, per_type = np.unique(targets.target_id[targets.stratum == index], return_counts=True)
        member = counts[strata == index]
        rows.append(
            {
                "stratum": name,
                "vocabulary_types": int(member.size),
                "training_mass": float(member.sum() / counts.sum()),
                "largest_count": int(member.max()),
                "smallest_count": int(member.min()),
                "n_targets": int(per_type.sum()),
                "n_types": int(types.size),
                "largest_type_share": float(per_type.max() / per_type.sum()),
            }
        )
    return pa.Table.from_pylist(rows)
