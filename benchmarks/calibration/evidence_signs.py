"""Whether what is found in one run has the same sign on an independent panel ten times as large.

Run with `python -m benchmarks.calibration.evidence_signs RESULTS RUN... [--steps 0 16 1000] [--texts FOLDER]`, RESULTS
a finished default demo. The other panel is cut and drawn by the demo's rules, with ten times its targets, from the
documents of the corpus that the demo's panel does not hold out: other documents of the same kind, which the networks
have been trained on. With `--texts` it comes from the Python files below a folder, by other authors and in no
training: wholly other documents, of another kind. The vocabulary is the same. Loss comes from all targets on rare and
common tokens, influence from those on rare ones. One line for each change since the first step.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from benchmarks.calibration.evidence_world import table
from rare_neurons.configuration import complete_config
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.evidence.history import History
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.question import Question, Rule
from rare_neurons.numerics.evidence.run_study import study_run
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.jackknife import t_interval
from rare_neurons.numerics.grid.leave_outs import stack
from rare_neurons.numerics.grid.moments import mean_leave_outs
from rare_neurons.numerics.panel.contexts import cut_contexts
from rare_neurons.numerics.panel.grid import lay_grid
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Most, draw_targets
from rare_neurons.results import load_timeline
from rare_neurons.stages.probe import settings_of
from rare_neurons.tables import read_metadata, read_table
from tools.configuration import SCHEMA, read_yaml

TIMES, LARGEST = 10, 30_000
STRATA = ("rare", "common")
NAMES = {"loss": "loss", "within": "within-stratum loss", "influence": "mean within-stratum influence"}


def training_documents(results):
    """Token ids of the documents that are not held out."""
    (tokens,) = results.glob("corpus/*/*/tokens.parquet")
    read = read_table(tokens, ["heldout", "token_ids"])
    rows = zip(read["heldout"].to_pylist(), read["token_ids"], strict=True)
    return [ids.values.to_numpy() for held, ids in rows if not held]


def other_documents(results, texts, n):
    """Token ids of n Python files below a folder."""
    (tokenizer,) = results.glob("tokenizer/*/tokenizer.json")
    encode = Tokenizer.from_file(str(tokenizer)).encode
    files = sorted(path for path in texts.rglob("*.py") if 2_000 <= path.stat().st_size <= LARGEST)
    chosen = [files[k] for k in np.random.default_rng(5).permutation(len(files))[:n]]
    return [np.array(encode(path.read_text(errors="replace")).ids) for path in chosen]


def other_panel(results, texts, config, times):
    """Panel of other documents by the rules of the demo's, `times` its targets."""
    rules = config["panels"]["heldout"]
    (unigram,) = results.glob("corpus/*/*/unigram.parquet")
    documents = other_documents(results, texts, 140 * times) if texts else training_documents(results)
    more = 1 if texts else 2  # fewer documents, so more of each
    types = read_table(unigram, ["count", "probability"])
    vocab_stratum = assign_strata(types["count"].to_numpy(), rules["strata"])
    contexts = cut_contexts(
        [ids for ids in documents if len(ids) > rules["context_length"]],
        end_of_text=int(read_metadata(unigram)["end_of_text_id"]),
        context_length=rules["context_length"],
        max_contexts=500 * times,
        max_per_document=more * rules["max_contexts_per_document"],
        seed=5,
    )
    names = tuple(rules["strata"])
    targets = draw_targets(
        contexts,
        vocab_stratum,
        names,
        targets_per_stratum=rules["targets_per_stratum"] * times,
        most=Most(rules["max_targets_per_type"] * times, more * rules["max_targets_per_document"]),
        min_position=rules["min_position"],
        token_role="target",
        seed=5,
    )
    grid = lay_grid(contexts, targets, n_strata=len(names))
    arrays = {name: getattr(targets, name) for name in ("context", "position", "target_id", "document", "stratum")}
    return PanelArrays(
        token_ids=contexts.token_ids,
        fold=grid.fold,
        type_bin=grid.type_bin,
        strata=names,
        vocab_stratum=vocab_stratum,
        log_unigram=np.log(types["probability"].to_numpy()),
        min_position=rules["min_position"],
        **arrays,
    )


def of_targets(panel, keep):
    """Return the panel with some of its targets."""
    per_target = ("context", "position", "target_id", "document", "type_bin", "stratum")
    chosen = {name: getattr(panel, name)[keep] for name in per_target}
    rest = ("token_ids", "fold", "strata", "vocab_stratum", "log_unigram", "min_position")
    return PanelArrays(**chosen, **{name: getattr(panel, name) for name in rest})


def losses(model, panel):
    """Loss of every target, whole and within its stratum, nats."""
    whole, within = np.zeros((2, len(panel.target_id)))
    member = torch.from_numpy(panel.vocab_stratum[None] == np.arange(len(panel.strata))[:, None])
    order = np.argsort(panel.context, kind="stable")
    edges = np.searchsorted(panel.context[order], np.arange(0, len(panel.token_ids) + 64, 64))
    for start, (low, high) in zip(range(0, len(panel.token_ids), 64), pairwise(edges), strict=False):
        rows = order[low:high]
        with torch.inference_mode():
            logits = model(torch.from_numpy(panel.token_ids[start : start + 64].astype(np.int64))).logits
        own = logits[panel.context[rows] - start, panel.position[rows]][:, : member.shape[1]].double()
        score = own[torch.arange(len(rows)), torch.from_numpy(panel.target_id[rows])]
        inside = own.masked_fill(~member[torch.from_numpy(panel.stratum[rows])], -torch.inf)
        whole[rows] = (torch.logsumexp(own, 1) - score).numpy()
        within[rows] = (torch.logsumexp(inside, 1) - score).numpy()
    return {"loss": whole, "within": within}


def on_cells(panel, stratum, values):
    """Leave-outs of the mean over a stratum's targets."""
    mine = panel.stratum == panel.strata.index(stratum)
    place = panel.fold[panel.context[mine]], panel.type_bin[mine]
    sums, counts = np.zeros((2, N_FOLDS, N_FOLDS))
    np.add.at(sums, place, values[mine])
    np.add.at(counts, place, 1.0)
    return mean_leave_outs(sums[None], counts)[0]


def measure(folder, panel, settings, with_influence):
    """Leave-outs of every statistic at one checkpoint."""
    model = load_model(folder, dtype=torch.float32)
    found = {(name, s): on_cells(panel, s, x) for name, x in losses(model, panel).items() for s in STRATA}
    if with_influence:
        rare = panel.strata.index("rare")
        of_stratum = [np.flatnonzero(panel.stratum == s) for s in range(len(panel.strata))]
        few = [rows if s == rare else rows[:: 1 + len(rows) // 1000] for s, rows in enumerate(of_stratum)]
        small = of_targets(panel, np.sort(np.concatenate(few)))
        probed = probe_model(model, small, settings)
        mean = probed.cell_within_sum[rare].mean(axis=-1)
        found["influence", "rare"] = mean_leave_outs(mean[None], probed.cell_n[rare])[0]
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 16, 1000])
    parser.add_argument("--texts", type=Path, default=None)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--no-influence", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
    panel = other_panel(given.results, given.texts, config, given.times)
    mid = panel.stratum == panel.strata.index("mid")
    # The probe needs some targets of every stratum.
    panel = of_targets(panel, np.flatnonzero(~mid | (np.cumsum(mid) % 40 == 1)))
    documents = [len(np.unique(panel.document[panel.stratum == panel.strata.index(s)])) for s in STRATA]
    print(f"{np.bincount(panel.stratum)} targets by stratum, documents {documents}", flush=True)
    settings = settings_of({**config["probe"], "placebo_draws": 0})
    noise = draw_noise(n_folds=N_FOLDS, rng=np.random.default_rng(0), draws=1999)
    courses = load_timeline(given.results, "courses")
    courses = courses[courses.subject == "embedded"]
    rows = []
    for run in given.runs:
        folders = [given.results / f"pretrain/{run}/step{step}" for step in given.steps]
        found = [measure(folder, panel, settings, not given.no_influence) for folder in folders]
        for what, stratum in found[0]:
            history = History(tuple(given.steps), stack([each[what, stratum] for each in found]))
            study = study_run(history, Question("-", "-", "-", stratum), rule=Rule(), noise=noise)
            name = f"{NAMES[what]} on {stratum} tokens"
            own = courses[(courses.run == run) & (courses.question == name)].set_index("step").value
            for k, step in enumerate(given.steps[1:], start=1):
                change = t_interval(history.values[k] - history.values[0])
                interval = f"{change.value:.3g} [{change.low:.3g}, {change.high:.3g}]"
                p = "-" if study.p_value is None else f"{study.p_value:.2g}"
                rows.append((run, name, step, f"{own[step] - own[given.steps[0]]:.3g}", interval, p))
    table(("run", "statistic", "step", "change, demo's panel", "change, other panel (90 %)", "p there"), rows)


if __name__ == "__main__":
    main()
