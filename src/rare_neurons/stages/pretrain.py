"""Stage `pretrain`: train one embedded model and keep its checkpoints as Hugging Face folders."""

import json
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout
from transformers.utils.logging import disable_progress_bar

from rare_neurons.catalogue import VERSIONS
from rare_neurons.models.pretraining import Recipe, pretrain
from rare_neurons.stages.kept import link_or_copy
from rare_neurons.stages.reporting import bar
from rare_neurons.sums import check_sum, write_sum
from rare_neurons.tables import atomic_path, file_sha256, read_metadata, read_table

WORK, STARTED = ".training", "started.json"
"""Beside the recipe: what a training that has not ended is to go on from."""


@dataclass(frozen=True)
class Training:
    """What is trained.

    Attributes
    ----------
    model : str
        Name, for the progress bar.
    recipe : mapping
        Fields of `Recipe`.
    steps : sequence of int
        Checkpoints to keep.
    seed : int
    text : {"natural", "unigram_shuffled"}
        The second is a control: the same tokens in random order, so that only the unigram distribution can be learned.
    """

    model: str
    recipe: Mapping[str, object]
    steps: Sequence[int]
    seed: int
    text: str


def write_checkpoints(output: str, *, tokens: str, tokenizer: str, training: Training, threads: int) -> None:
    """Train, keep the checkpoints beside `output`, and record the recipe there.

    Parameters
    ----------
    output : str
        ``recipe.json`` of the model; checkpoints are folders ``step{N}`` beside it, outputs of the workflow too. Until
        all are there they lie in a folder of their own, so that a training resumes that was killed and whose outputs
        were deleted.
    tokens, tokenizer : str
        Inputs.
    training : Training
    threads : int
    """
    folder = Path(output).parent
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    disable_progress_bar()  # one bar for the training is enough; saving takes no time
    record = {
        "recipe": dict(training.recipe),
        "seed": training.seed,
        "text": training.text,
        "threads": threads,
        "tokens_sha256": file_sha256(tokens),
        "tokenizer_sha256": file_sha256(tokenizer),
        "versions": {name: version_of(name) for name in ("torch", "transformers", "numpy", "tokenizers")},
        "python": platform.python_version(),
        "version": VERSIONS["pretrain"],
    }
    check_sum(tokenizer)
    with _alone(folder, training.model):
        work = folder / WORK
        _discard_other_runs(work, record)
        _train(work, tokens, training)
        for step in training.steps:
            with atomic_path(work / f"step{step}" / "tokenizer.json") as temporary:
                shutil.copyfile(tokenizer, temporary)
        _hand_over(work, folder, training.steps)
        text = json.dumps({**record, "steps": list(training.steps)}, sort_keys=True, indent=1)
        with atomic_path(output) as temporary:
            temporary.write_text(text + "\n")
        write_sum(output)
        _remove(work)


def _train(folder: Path, tokens: str, training: Training) -> None:
    about, n_steps = read_metadata(tokens), int(training.recipe["n_steps"])
    end_of_text = int(about["end_of_text_id"])
    pretrain(
        _stream(tokens, end_of_text, training.seed, training.text),
        folder,
        recipe=Recipe(**training.recipe),
        vocab_size=int(about["vocab_size"]),
        end_of_text=end_of_text,
        steps=training.steps,
        seed=training.seed,
        progress=lambda items, start: bar(items, label=training.model, total=n_steps, initial=start),
    )


@contextmanager
def _alone(folder: Path, model: str) -> Iterator[None]:
    """Wait for a training that outlived the Snakemake which started it: two must not write one folder."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{model}: another process trains in {folder}; waiting for its end", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _discard_other_runs(folder: Path, record: Mapping[str, object]) -> None:
    """Keep what a killed run of this very recipe left; remove what another recipe left."""
    started = folder / STARTED
    text = json.dumps(record, sort_keys=True)
    if started.is_file() and started.read_text() == text:
        return
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    started.write_text(text)


def _remove(work: Path) -> None:
    """Remove a training's folder so that one that is half removed is no training to resume."""
    (work / STARTED).unlink()
    shutil.rmtree(work)


def _hand_over(work: Path, folder: Path, steps: Sequence[int]) -> None:
    """Give finished checkpoints their place, each whole or not at all; those of an earlier configuration go."""
    for left in (*folder.glob("step*"), *folder.glob(".step*")):
        shutil.rmtree(left)
    for step in steps:
        part = folder / f".step{step}.part"
        shutil.copytree(work / f"step{step}", part, copy_function=link_or_copy)
        part.replace(folder / f"step{step}")


def _stream(tokens: str, end_of_text: int, seed: int, text: str) -> np.ndarray:
    table = read_table(tokens, ["heldout", "token_ids"])
    documents = [
        row.values.to_numpy()
        for row, held in zip(table["token_ids"], table["heldout"], strict=True)
        if not held.as_py()
    ]
    # The order of documents is shuffled once for all seeds: alphabetical order would be a curriculum.
    order = np.random.default_rng(0).permutation(len(documents))
    stream = np.concatenate([part for i in order for part in (documents[i], np.array([end_of_text], np.int32))])
    if text == "unigram_shuffled":
        return np.random.default_rng([seed, 1]).permutation(stream)
    return stream
