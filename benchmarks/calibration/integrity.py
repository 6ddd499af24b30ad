"""Calibration of the integrity limits: false alarms on clean training runs, and substitutions found.

Run with `python -m benchmarks.calibration.integrity --results results --runs FOLDER` after `make demo`: trains small
models at three learning rates on the demo's tokens (kept in FOLDER), adds the demo's own runs, and prints the tables of
docs/methods/integrity.md. Projections are linear, so substitutions are made from them, without weights.
"""

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.integrity.judge import CheckpointVerdict, judge_checkpoints
from rare_neurons.tables import read_metadata, read_table

RATES = (1e-3, 5e-3, 2e-2)
STEPS = [0, *(2**k for k in range(8)), *range(140, 401, 20)]
LENGTH, BATCH, HELD_OUT = 64, 8, 64
STATISTICS = ("detour", "chord", "tensor_excess", "end_distance", "canary_z")


@dataclass(frozen=True)
class Run:
    """Fingerprints and losses of all checkpoints of one run."""

    group: str
    steps: np.ndarray
    projections: np.ndarray
    norms: np.ndarray
    digests: np.ndarray
    losses: np.ndarray
    tensors: tuple[tuple[str, tuple[int, ...]], ...]

    def at(self, indices: list[int]) -> "Run":
        """Some of the checkpoints."""
        parts = {k: getattr(self, k)[indices] for k in ("steps", "projections", "norms", "digests", "losses")}
        return replace(self, **parts)

    def judge(self) -> tuple[CheckpointVerdict, ...]:
        return judge_checkpoints(
            self.steps.tolist(),
            self.projections,
            digests=self.digests.tolist(),
            norms=self.norms,
            tensors=self.tensors,
            canary_loss=[None if np.isnan(loss) else float(loss) for loss in self.losses],
        )


def trained(results: Path, folder: Path, seeds: int) -> list[Run]:
    """Clean runs at each learning rate, from `folder` where they are there."""
    runs = []
    for rate in RATES:
        for seed in range(seeds):
            path = folder / f"rate{rate:g}-seed{seed}.npz"
            if not path.is_file():
                np.savez(path, **train(results, rate, seed))
            with np.load(path) as found:
                shapes = [tuple(int(n) for n in text.split("x")) for text in found["shapes"]]
                tensors = tuple(zip(found["names"].tolist(), shapes, strict=True))
                keys = ("projections", "norms", "digests", "losses")
                runs.append(Run(f"{rate:g}", np.array(STEPS), **{k: found[k] for k in keys}, tensors=tensors))
    return runs


def train(results: Path, rate: float, seed: int) -> dict[str, np.ndarray]:
    """Train one run of the demo's shape for 400 steps and take its fingerprints and losses."""
    import torch  # here: tables of runs that are there need no torch
    from transformers import AutoModelForCausalLM

    from rare_neurons.checkpoints.tensors import iter_tensors
    from rare_neurons.models.pretraining import Recipe, pretrain

    torch.set_num_threads(1)
    (path,) = results.glob("corpus/*/*/tokens.parquet")
    table, about = read_table(path, ["heldout", "token_ids"]), read_metadata(path)
    documents = [ids.values.to_numpy() for ids in table["token_ids"]]
    held = np.array(table["heldout"].to_pylist())
    order = np.random.default_rng(0).permutation(np.flatnonzero(~held))
    stream = np.concatenate([documents[i] for i in order])
    panel = np.concatenate([documents[i] for i in np.flatnonzero(held)])[: HELD_OUT * LENGTH]
    inputs = torch.from_numpy(panel.reshape(HELD_OUT, LENGTH).astype(np.int64))
    recipe = Recipe(64, 2, 4, 256, LENGTH, BATCH, STEPS[-1], rate, 0.01)
    shape = {"vocab_size": int(about["vocab_size"]), "end_of_text": int(about["end_of_text_id"])}
    prints, losses = [], []
    with tempfile.TemporaryDirectory() as name:
        pretrain(stream, Path(name), recipe=recipe, **shape, steps=STEPS, seed=seed)
        for step in STEPS:
            folder = Path(name) / f"step{step}"
            prints.append([fingerprint_tensor(*pair) for pair in sorted(iter_tensors(folder), key=lambda p: p[0])])
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            with torch.no_grad():
                losses.append(float(model(input_ids=inputs, labels=inputs).loss))
    columns = {"projections": "projection", "norms": "norm", "digests": "sha256"}
    arrays = {key: np.array([[getattr(p, name) for p in row] for row in prints]) for key, name in columns.items()}
    about_tensors = {"names": [p.name for p in prints[0]], "shapes": ["x".join(map(str, p.shape)) for p in prints[0]]}
    return {**arrays, "losses": np.array(losses), **{k: np.array(v) for k, v in about_tensors.items()}}


def of_demo(results: Path) -> Iterator[Run]:
    """The runs of a finished demo."""
    for path in sorted(results.glob("integrity/*.parquet")):
        rows = read_table(path, ["step", "canary_loss"]).to_pylist()
        tables = [read_table(results / f"fingerprint/{path.stem}/step{row['step']}.parquet") for row in rows]
        columns = {"projections": "projection", "norms": "norm", "digests": "sha256"}
        arrays = {key: np.array([table[name].to_pylist() for table in tables]) for key, name in columns.items()}
        tensors = tuple(zip(tables[0]["tensor"].to_pylist(), map(tuple, tables[0]["shape"].to_pylist()), strict=True))
        losses = np.array([row["canary_loss"] for row in rows], dtype=float)
        group = f"demo, {path.stem.rsplit('-', 1)[0]}"
        yield Run(group, np.array([row["step"] for row in rows]), **arrays, losses=losses, tensors=tensors)


def schedules(run: Run) -> dict[str, list[int]]:
    """Dense, every third late step, doublings, fourfold steps, late steps alone; the demo has doublings alone."""
    early = [i for i, step in enumerate(run.steps.tolist()) if step & (step - 1) == 0]
    late = [i for i in range(len(run.steps)) if i not in early]
    if len(late) < 4:
        every = [*early, *late]
        return {"doublings": every, "fourfold": every[(len(every) + 1) % 2 :: 2]}
    return {
        "dense": [*early, *late],
        "every third": [*early, *late[::3]],
        "doublings": [*early, late[-1]],
        "fourfold": [*early[::2], late[-1]],
        "late": late,
    }


def print_false_alarms(runs: list[Run]) -> None:
    """Largest statistics of clean runs, also of those cut short at every checkpoint."""
    print(
        "| learning rate | runs | checkpoints judged | detour | chord, least | tensor excess | end distance | loss z |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    extremes, alarms = defaultdict(lambda: defaultdict(list)), Counter()
    for run in runs:
        for indices in schedules(run).values():
            for length in range(3, len(indices) + 1):
                verdicts = run.at(indices[:length]).judge()
                new = verdicts if length == len(indices) else verdicts[-1:]
                alarms[run.group, "judged"] += len(new)
                alarms[run.group, "bad"] += sum(verdict.quarantined for verdict in new)
                for name in STATISTICS:
                    values = [getattr(verdict, name) for verdict in verdicts]
                    extremes[run.group][name] += [abs(value) for value in values if value is not None]
    for group, found in extremes.items():
        n_runs = sum(run.group == group for run in runs)
        judged = f"{alarms[group, 'judged']}, {alarms[group, 'bad']} quarantined"
        rest = " | ".join(f"{max(found[name]):.2f}" for name in ("tensor_excess", "end_distance", "canary_z"))
        print(f"| {group} | {n_runs} | {judged} | {max(found['detour']):.2f} | {min(found['chord']):.3f} | {rest} |")


Change = Callable[[Run, Run, int, np.random.Generator], tuple[np.ndarray, np.ndarray, list[int], float]]
"""From a run, another of its group, a place and draws: projections and norms of a checkpoint, its changed tensors,
its loss."""


def _whole(run: Run, projections: np.ndarray, norms: np.ndarray, loss: float = np.nan):
    return projections, norms, list(range(len(run.tensors))), loss


def mean_of_neighbours(run, other, place, rng):
    a, b = run.projections[place - 1], run.projections[place + 1]
    middle = (a + b) / 2
    # The norm of a mean, from those of both and their distance.
    square = (run.norms[place - 1] ** 2 + run.norms[place + 1] ** 2) / 2 - np.sum((a - b) ** 2, axis=1) / 4
    return _whole(run, middle, np.sqrt(np.maximum(square, 0)))


def of_other_seed(run, other, place, rng):
    return _whole(run, other.projections[place], other.norms[place], other.losses[place])


def of_own_run(run, other, place, rng):
    """Another step's weights and loss; adjacent equal steps are "unchanged" by definition."""
    where = int(rng.choice([i for i in range(len(run.steps)) if abs(i - place) > 1]))
    return _whole(run, run.projections[where], run.norms[where], run.losses[where])


def tensor(run: Run, rng: np.random.Generator, kind: str) -> int:
    """Draw a tensor: a matrix, a norm's gain or a bias."""
    kinds = ["matrix" if len(shape) > 1 else "bias" if name.endswith("bias") else "gain" for name, shape in run.tensors]
    return int(rng.choice([i for i, found in enumerate(kinds) if found == kind]))


def scaled(kind: str, factor: float) -> Change:
    def change(run, other, place, rng):
        which, projections, norms = tensor(run, rng, kind), run.projections[place].copy(), run.norms[place].copy()
        projections[which] *= factor
        norms[which] *= abs(factor)
        return projections, norms, [which], run.losses[place]

    return change


def taken(kind: str, source: Callable[[Run, Run, int, np.random.Generator], tuple[Run, int]]) -> Change:
    """One tensor of another checkpoint."""

    def change(run, other, place, rng):
        giver, where = source(run, other, place, rng)
        which, projections, norms = tensor(run, rng, kind), run.projections[place].copy(), run.norms[place].copy()
        projections[which], norms[which] = giver.projections[where, which], giver.norms[where, which]
        return projections, norms, [which], run.losses[place]

    return change


def meaned(run, other, place, rng):
    which, (projections, norms, _, _) = tensor(run, rng, "matrix"), mean_of_neighbours(run, other, place, rng)
    mixed, sizes = run.projections[place].copy(), run.norms[place].copy()
    mixed[which], sizes[which] = projections[which], norms[which]
    return mixed, sizes, [which], run.losses[place]


def same_step(run, other, place, rng):
    return other, place


def last_step(run, other, place, rng):
    return other, len(other.steps) - 1


SUBSTITUTIONS: dict[str, tuple[str, Change]] = {
    "mean of its two neighbours": ("inner", mean_of_neighbours),
    "same step of another seed": ("inner", of_other_seed),
    "final step of another seed, at the end": ("end", of_other_seed),
    "another step of its own run": ("any", of_own_run),
    "one matrix halved": ("inner", scaled("matrix", 0.5)),
    "one matrix halved, at the end": ("end", scaled("matrix", 0.5)),
    "one matrix negated": ("inner", scaled("matrix", -1.0)),
    "one matrix of another seed": ("inner", taken("matrix", same_step)),
    "one matrix of another seed, at the end": ("end", taken("matrix", same_step)),
    "one matrix the mean of its neighbours": ("inner", meaned),
    "one norm gain halved": ("inner", scaled("gain", 0.5)),
    "one norm gain of another seed's final step": ("inner", taken("gain", last_step)),
    "one norm gain of another seed's same step": ("inner", taken("gain", same_step)),
    "one bias of another seed's same step": ("inner", taken("bias", same_step)),
}


def substitute(runs: list[Run], where: str, change: Change, rng: np.random.Generator) -> tuple[str, bool]:
    """Plant one substitution at random; whether the place is early, and whether exactly it is found."""
    run = runs[rng.integers(len(runs))]
    other = [r for r in runs if r.group == run.group and r is not run]
    names = list(schedules(run))
    indices = schedules(run)[names[rng.integers(len(names))]]
    mine, yours = run.at(indices), other[rng.integers(len(other))].at(indices)
    first, last = {"inner": (1, len(indices) - 1), "end": (len(indices) - 1, len(indices)), "any": (0, len(indices))}[
        where
    ]
    place = int(rng.integers(first, last))
    changed = mine.at(list(range(len(indices))))
    projections, norms, tensors, loss = change(mine, yours, place, rng)
    changed.projections[place], changed.norms[place], changed.losses[place] = projections, norms, loss
    for i in tensors:
        equal = np.flatnonzero((mine.projections[:, i] == projections[i]).all(axis=1))
        changed.digests[place, i] = mine.digests[equal[0], i] if len(equal) else "planted"
    found = {i for i, verdict in enumerate(changed.judge()) if verdict.quarantined}
    outcome = "exact" if found == {place} else "more" if place in found else "other" if found else "nothing"
    return outcome, bool(mine.steps[place] > 64)


def print_power(runs: list[Run], draws: int) -> None:
    """What is found of each substitution."""
    print("\n| substituted | exactly it is quarantined | with others | others alone | nothing | found after step 64 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (where, change) in SUBSTITUTIONS.items():
        rng = np.random.default_rng(0)
        found = [substitute(runs, where, change, rng) for _ in range(draws)]
        n = Counter(outcome for outcome, _ in found)
        late = [outcome in ("exact", "more") for outcome, is_late in found if is_late]
        shares = " | ".join(f"{n[outcome] / draws:.1%}" for outcome in ("exact", "more", "other", "nothing"))
        print(f"| {name} | {shares} | {np.mean(late):.1%} of {len(late)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--draws", type=int, default=200)
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    clean = [*trained(arguments.results, arguments.runs, arguments.seeds), *of_demo(arguments.results)]
    print_false_alarms(clean)
    print_power(clean, arguments.draws)
