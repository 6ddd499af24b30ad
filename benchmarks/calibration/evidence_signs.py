"""Whether what is found in one run has the same sign on an independent panel ten times as large.

First train networks that leave enough text unread, then measure them:

    python -m tools.inside --cores 1 -s Snakefile --config results=RESULTS \\
        --configfile config/config.yaml benchmarks/calibration/evidence_signs.yaml \\
        -- RESULTS/pretrain/{embedded-seed{0,1,2},shuffled-seed1{0,1}}/recipe.json
    python -m benchmarks.calibration.evidence_signs RESULTS OUT [RUN...] [--texts FOLDER]

A third of the held-out documents give the small panel and the rest the large one, by the rules of the default's panel:
no document is in both, and no network has seen any. With `--texts` the large one comes from the Python files below a
folder, by other authors. What is measured is kept in OUT, so that a run that was stopped goes on. Prints every change
that tier `run` finds on the small panel, and the same change on the large one.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from benchmarks.calibration.evidence_world import table
from rare_neurons.configuration import complete_config
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.jackknife import t_interval
from rare_neurons.numerics.grid.panel_size import effective_count
from rare_neurons.numerics.panel.contexts import cut_contexts
from rare_neurons.numerics.panel.grid import lay_grid
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Most, draw_targets
from rare_neurons.stages.cell_tables import behaviour_statistics, moment_statistics
from rare_neurons.stages.evidence import NAMES, write_evidence
from rare_neurons.stages.probe import probe_tables, settings_of
from rare_neurons.tables import index_paths, read_metadata, read_table, write_rows
from tools.configuration import SCHEMA, read_yaml

TARGETS, TIMES, SMALL_SHARE = 2_000, 10, 1 / 3
"""Targets of a stratum on the small panel, how many times as many on the large one, and the small one's documents."""
PER_DOCUMENT = {"small": (8, 120), "large": (60, 500)}  # contexts, and targets of a stratum, at most
STEPS = (0, 16, 128, 1000)
LARGEST = 30_000  # bytes of a file of another author
SEED = 5


@dataclass(frozen=True)
class Text:
    """What panels are drawn from: documents by panel, and the tokenizer's types."""

    documents: dict[str, list[np.ndarray]]
    counts: np.ndarray
    probability: np.ndarray
    end_of_text: int


def read_text(results: Path, texts: Path | None) -> Text:
    """Held-out documents, those of one file as one, split between the panels."""
    (tokens,) = results.glob("corpus/*/*/tokens.parquet")
    unigram = tokens.with_name("unigram.parquet")
    end, types, read = int(read_metadata(unigram)["end_of_text_id"]), read_table(unigram), read_table(tokens)
    files: dict[str, list[np.ndarray]] = {}
    for origin, ids, held in zip(read["origin"].to_pylist(), read["token_ids"], read["heldout"], strict=True):
        if held.as_py():
            files.setdefault(origin, []).extend([np.array([end]), ids.values.to_numpy()])
    found = [np.concatenate(parts[1:]) for parts in files.values()]
    order = np.random.default_rng(SEED).permutation(len(found))
    small, large = np.split(order, [round(SMALL_SHARE * len(found))])
    documents = {"small": [found[k] for k in small], "large": [found[k] for k in large]}
    if texts:
        documents["large"] = other_documents(results, texts)
    return Text(documents, types["count"].to_numpy(), types["probability"].to_numpy(), end)


def other_documents(results: Path, texts: Path) -> list[np.ndarray]:
    """Token ids of 1,400 Python files below a folder."""
    (tokenizer,) = results.glob("tokenizer/*/tokenizer.json")
    encode = Tokenizer.from_file(str(tokenizer)).encode
    files = sorted(path for path in texts.rglob("*.py") if 2_000 <= path.stat().st_size <= LARGEST)
    chosen = [files[k] for k in np.random.default_rng(SEED).permutation(len(files))[:1400]]
    return [np.array(encode(path.read_text(errors="replace")).ids) for path in chosen]


def draw_panel(text: Text, which: str, rules: dict) -> PanelArrays:
    """One of the two panels."""
    times = TIMES if which == "large" else 1
    strata, names = assign_strata(text.counts, rules["strata"]), tuple(rules["strata"])
    per_document = PER_DOCUMENT[which]
    contexts = cut_contexts(
        text.documents[which],
        end_of_text=text.end_of_text,
        context_length=rules["context_length"],
        max_contexts=None,
        max_per_document=per_document[0],
        seed=SEED,
    )
    targets = draw_targets(
        contexts,
        strata,
        names,
        targets_per_stratum=TARGETS * times,
        most=Most(rules["max_targets_per_type"] * times, per_document[1]),
        min_position=rules["min_position"],
        token_role="target",
        seed=SEED,
    )
    for index, name in enumerate(names):
        document, types = (values[targets.stratum == index] for values in (targets.document, targets.target_id))
        sizes = [np.unique(values, return_counts=True)[1] for values in (document, types)]
        effective = " and ".join(f"{len(size)} (effectively {effective_count(size):.0f})" for size in sizes)
        print(f"{which} panel, {name}: {len(document)} targets of documents and types {effective}", flush=True)
    grid = lay_grid(contexts, targets, n_strata=len(names))
    return PanelArrays(
        token_ids=contexts.token_ids,
        fold=grid.fold,
        type_bin=grid.type_bin,
        strata=names,
        vocab_stratum=strata,
        log_unigram=np.log(text.probability),
        min_position=rules["min_position"],
        **{name: getattr(targets, name) for name in ("context", "position", "target_id", "document", "stratum")},
    )


def measure(given: argparse.Namespace, which: str, panel: PanelArrays, run: str, step: int, options: dict) -> None:
    """Write the two tables that evidence reads of a checkpoint, unless they are there."""
    paths = {name: given.out / name / which / run / f"step{step}.parquet" for name in ("behaviour", "moments")}
    if all(path.is_file() for path in paths.values()):
        return
    model = load_model(given.results / f"pretrain/{run}/step{step}", dtype=torch.float32)
    settings = settings_of({**options, "placebo_draws": 0})
    found = probe_tables(
        probe_model(model, panel, settings, batch_size=options["batch_size"]),
        panel,
        {"panel": which, "model": run, "step": step},
    )
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(name, found[name], path, {})


def judge(out: Path, which: str, run: str, options: dict) -> dict[str, list[dict]]:
    """Rows of every table of evidence of one run alone."""
    shards = [str(path) for name in ("behaviour", "moments") for path in (out / name / which / run).glob("*.parquet")]
    outputs = {name: str(out / f"{which}-{run}-{name}.parquet") for name in NAMES}
    # Tier `specific` needs runs, controls and a placebo.
    questions = {name: {**question, "against": None} for name, question in options["questions"].items()}
    write_evidence(
        outputs,
        shards=shards,
        integrity=[],
        subject=run,
        models=[run],
        controls=[],
        panels=[which],
        options={**options, "questions": questions},
    )
    return {name: read_table(path).to_pylist() for name, path in outputs.items()}


def found_changes(tables: dict[str, list[dict]]) -> list[tuple[dict, int, int]]:
    """Question and both steps: of the change since the first checkpoint at its peak, and of every rise and fall."""
    changes = []
    for row in tables["evidence"]:
        if row["tier"] != "run" or row["role"] != "run" or not row["holds"]:
            continue
        dated = [one for one in tables["onsets"] if one["question"] == row["question"] and one["role"] == "run"]
        ends = {(STEPS[0], one["peak"]) for one in dated if one["peak"] is not None}
        ends |= {(one["start"], one["end"]) for one in tables["turns"] if one["question"] == row["question"]}
        changes += [(row, *pair) for pair in sorted(ends)]
    return changes


def change(out: Path, which: str, run: str, row: dict, steps: tuple[int, int]) -> tuple[float, float, float]:
    """Change between two steps with its 90 % interval."""
    key, values = (row["stratum"], row["column"]), []
    reader = {"behaviour": behaviour_statistics, "moments": moment_statistics}[row["table"]]
    paths = index_paths(str(path) for path in (out / row["table"] / which / run).glob("*.parquet"))
    by_step = {place[-1]: path for place, path in paths.items()}
    for step in steps:
        values.append(reader(read_table(by_step[step]), {key})[key])
    found = t_interval(values[1] - values[0])
    return found.value, found.low, found.high


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--texts", type=Path, default=None)
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
    text = read_text(given.results, given.texts)
    panels = {which: draw_panel(text, which, config["panels"]["heldout"]) for which in PER_DOCUMENT}
    rows = []
    for run in given.runs or sorted(path.parent.name for path in given.results.glob("pretrain/*/recipe.json")):
        for which, panel in panels.items():
            for step in STEPS:
                measure(given, which, panel, run, step, config["probe"])
        for row, *steps in found_changes(judge(given.out, "small", run, config["evidence"])):
            here, there = (change(given.out, which, run, row, tuple(steps)) for which in panels)
            interval = "{:.3g} [{:.3g}, {:.3g}]"
            same = "yes" if here[0] * there[0] > 0 else "no"
            outside = "yes" if there[1] * there[2] > 0 else "no"
            name, ends = row["question"], f"{steps[0]} to {steps[1]}"
            rows.append((run, name, ends, interval.format(*here), interval.format(*there), same, outside))
            print(*rows[-1], sep=" | ", flush=True)
    table(("run", "statistic", "steps", "small panel", "large panel", "same sign", "zero outside"), rows)


if __name__ == "__main__":
    main()
