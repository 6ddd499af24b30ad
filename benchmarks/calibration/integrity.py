"""Calibration of the integrity thresholds: false alarms on clean training runs, and planted faults found.

Run with `python -m benchmarks.calibration.integrity --seeds 12`; trains small models as the embedded default does (on
the bytes of one module of the standard library) and prints the tables of docs/methods/integrity.md.
"""

import argparse
import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from rare_neurons.checkpoints.tensors import iter_tensors
from rare_neurons.models.pretraining import Recipe, pretrain
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.integrity.judge import judge_checkpoints

LIMITS = {"detour": (1.5, 2.0, 2.5), "start_z": (1.0, 3.0, 6.0), "canary_z": (1.0, 3.0, 6.0)}


@dataclass(frozen=True)
class Run:
    """Fingerprints and losses of all checkpoints of one run."""

    steps: list[int]
    projections: np.ndarray
    digests: list[list[str]]
    sizes: list[int]
    losses: list[float]

    def judge(self, indices, origins=None, *, with_loss=True):
        """Judge a subset of the checkpoints, each serving what `origins` says (itself by default)."""
        origins = indices if origins is None else origins
        return judge_checkpoints(
            [self.steps[i] for i in indices],
            self.projections[origins],
            digests=[self.digests[i] for i in origins],
            tensor_sizes=self.sizes,
            canary_loss=[self.losses[i] for i in origins] if with_loss else None,
        )


def train(seed: int, n_steps: int, tokens: np.ndarray) -> Run:
    """One clean run with a dense schedule."""
    recipe = Recipe(48, 2, 4, 192, 64, 16, n_steps, 5e-3, 0.01)
    steps = [0, *(2**k for k in range(9) if 2**k < n_steps // 2), *range(n_steps // 2, n_steps + 1, n_steps // 40)]
    held_out = torch.from_numpy(tokens[-64 * 64 :].reshape(64, 64).astype(np.int64))
    prints, losses = [], []
    with tempfile.TemporaryDirectory() as name:
        pretrain(tokens[: -64 * 64], Path(name), recipe=recipe, vocab_size=256, end_of_text=0, steps=steps, seed=seed)
        for step in steps:
            folder = Path(name) / f"step{step}"
            prints.append([fingerprint_tensor(*pair) for pair in sorted(iter_tensors(folder), key=lambda p: p[0])])
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            with torch.no_grad():
                losses.append(float(model(input_ids=held_out, labels=held_out).loss))
    return Run(
        steps,
        np.array([[tensor.projection for tensor in row] for row in prints]),
        [[tensor.sha256 for tensor in row] for row in prints],
        [int(np.prod(tensor.shape)) for tensor in prints[0]],
        losses,
    )


def schedules(run: Run) -> dict[str, list[int]]:
    """Dense, every third late step, and doublings alone."""
    early = [i for i, step in enumerate(run.steps) if step & (step - 1) == 0]
    late = [i for i in range(len(run.steps)) if i not in early]
    return {"dense": [*early, *late], "every third": [*early, *late[::3]], "doublings": [*early, late[-1]]}


def print_false_alarms(runs: list[Run]) -> None:
    """Largest statistics of clean runs and the share of checkpoints beyond each limit."""
    print(f"## Clean runs: {len(runs)} seeds\n")
    print("| schedule | checkpoints judged | statistic | median | largest | share above each limit | quarantined |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in schedules(runs[0]):
        verdicts = [verdict for run in runs for verdict in run.judge(schedules(run)[name])]
        quarantined = sum(verdict.quarantined for verdict in verdicts)
        for statistic, limits in LIMITS.items():
            values = np.abs([v for v in (getattr(verdict, statistic) for verdict in verdicts) if v is not None])
            shares = ", ".join(f"{limit:g}: {np.mean(values > limit):.2%}" for limit in limits)
            row = f"{len(verdicts)} | {statistic} | {np.median(values):.2f} | {values.max():.2f} | {shares}"
            print(f"| {name} | {row} | {quarantined} |")
    jumps = [run.judge(range(len(run.steps))) for run in runs]
    ratios = [v[1].distance_to_previous / v[2].distance_to_previous for v in jumps]
    n = sum(len(v) for v in jumps)
    print(f"\nFirst distance over the second: at most {max(ratios):.2f}. With no alarm among n independent checkpoints")
    print(
        f"the 95 % bound of the false-alarm rate is 3/n: {3 / n:.2%} at n = {n}; per run {min(1, 3 / len(runs)):.0%}.\n"
    )


def print_power(runs: list[Run], rng: np.random.Generator, draws: int) -> None:
    """One branch serving another step's weights: exactly that one must be quarantined."""
    print("## One branch serves another step's weights\n")
    print("| schedule | losses | planted | exactly the bad branch | its source instead | nothing |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in schedules(runs[0]):
        for with_loss in (True, False):
            outcomes = np.zeros(3, dtype=int)
            total = 0
            for run in runs:
                indices = schedules(run)[name]
                for _ in range(draws):
                    bad, true = rng.choice(len(indices), 2, replace=False)
                    if abs(bad - true) < 2:
                        continue  # adjacent equal steps are "unchanged" by definition
                    origins = list(indices)
                    origins[bad] = indices[true]
                    verdicts = run.judge(indices, origins, with_loss=with_loss)
                    found = {i for i, verdict in enumerate(verdicts) if verdict.quarantined}
                    outcomes += [found == {bad}, true in found, not found]
                    total += 1
            shares = " | ".join(f"{count / total:.1%}" for count in outcomes)
            print(f"| {name} | {'yes' if with_loss else 'no'} | {total} | {shares} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--draws", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text = Path(importlib.util.find_spec("pydoc_data.topics").origin).read_bytes()
    stream = np.frombuffer(text, dtype=np.uint8)
    clean = [train(seed, arguments.steps, stream) for seed in range(arguments.seeds)]
    print_false_alarms(clean)
    print_power(clean, np.random.default_rng(0), arguments.draws)
