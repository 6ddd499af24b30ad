"""The embedded model: a small Pythia trained from nothing, checkpoint by checkpoint."""

import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from rare_neurons.models.cross_entropy import mean_cross_entropy

RESUME = "resume.pt"


@dataclass(frozen=True)
class Recipe:
    """How the embedded model is trained (Pythia's, except for size and learning rate).

    Attributes
    ----------
    hidden_size, n_layers, n_heads, mlp_size, context_length : int
    batch_size : int
        Sequences per step.
    n_steps : int
    learning_rate : float
        Peak; linear warm-up over 1 % of the steps, then cosine to 10 %.
    weight_decay : float
    """

    hidden_size: int
    n_layers: int
    n_heads: int
    mlp_size: int
    context_length: int
    batch_size: int
    n_steps: int
    learning_rate: float
    weight_decay: float


def pretrain(
    tokens: np.ndarray,
    folder: Path,
    *,
    recipe: Recipe,
    vocab_size: int,
    end_of_text: int,
    steps: Sequence[int],
    seed: int,
    progress: Callable[[Iterator[int], int], Iterator[int]] | None = None,
) -> None:
    """Train a small GPT-NeoX and write ``folder/step{N}`` for every asked step.

    A checkpoint appears whole or not at all; training that was killed goes on from the last one. The bytes depend on
    the tokens, the recipe, the seed and torch's thread count, not on interruptions.

    Parameters
    ----------
    tokens : ndarray of int, shape (n,)
        Training stream.
    folder : Path
    recipe : Recipe
    vocab_size, end_of_text : int
    steps : sequence of int
        Checkpoints to keep, from 0 to ``recipe.n_steps``.
    seed : int
        Of the initial weights and of the order of the data.
    progress : callable, optional
        Wraps the iterator of steps, given the first step.

    Notes
    -----
    ``folder/resume.pt`` stays: the caller removes it when all that follows is on the disk too.
    """
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    model = _initial_model(recipe, vocab_size=vocab_size, end_of_text=end_of_text, seed=seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay, fused=True
    )
    start = _resume(folder, model, optimizer)
    if start is None:
        start = 0
        _keep(model, optimizer, folder, 0, steps)
    batches = _batches(tokens, recipe, seed=seed, start=start)
    todo = iter(range(start + 1, recipe.n_steps + 1))
    for step in progress(todo, start) if progress else todo:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, n_steps=recipe.n_steps)
        loss = _loss(model, torch.from_numpy(next(batches)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
        optimizer.step()
        _keep(model, optimizer, folder, step, steps)


def _initial_model(recipe: Recipe, *, vocab_size: int, end_of_text: int, seed: int) -> GPTNeoXForCausalLM:
    config = GPTNeoXConfig(
        vocab_size=vocab_size,
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.n_layers,
        num_attention_heads=recipe.n_heads,
        intermediate_size=recipe.mlp_size,
        max_position_embeddings=recipe.context_length,
        use_parallel_residual=True,
        tie_word_embeddings=False,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        use_cache=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # transformers draws initial weights from the global generator
        return GPTNeoXForCausalLM(config).to(torch.float32).train()


def _loss(model: GPTNeoXForCausalLM, batch: torch.Tensor) -> torch.Tensor:
    hidden = model.base_model(input_ids=batch).last_hidden_state[:, :-1]
    return mean_cross_entropy(hidden.flatten(0, 1), model.get_output_embeddings().weight, batch[:, 1:].flatten())


def _schedule(step: int, *, n_steps: int) -> float:
    warm_up = max(1, n_steps // 100)
    if step <= warm_up:
        return step / warm_up
    done = (step - warm_up) / max(1, n_steps - warm_up)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


def _batches(tokens: np.ndarray, recipe: Recipe, *, seed: int, start: int) -> Iterator[np.ndarray]:
    length, size = recipe.context_length, recipe.batch_size
    n_windows = len(tokens) // length
    if n_windows < size:
        raise ValueError(
            f"{len(tokens)} training tokens make {n_windows} windows of {length}, but a batch needs {size}"
        )
    windows = tokens[: n_windows * length].reshape(n_windows, length)
    per_epoch = n_windows // size
    for index in range(start, recipe.n_steps):
        epoch, at = divmod(index, per_epoch)
        if at == 0 or index == start:
            order = np.random.default_rng([seed, epoch]).permutation(n_windows)
        yield windows[order[at * size : (at + 1) * size]].astype(np.int64)


def _keep(
    model: GPTNeoXForCausalLM, optimizer: torch.optim.Optimizer, folder: Path, step: int, steps: Sequence[int]
) -> None:
    if step not in steps:
        return
    _replace(folder / f"step{step}", lambda part: _save(model, part))
    state = {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    _replace(folder / RESUME, lambda part: torch.save(state, part))


def _save(model: GPTNeoXForCausalLM, folder: Path) -> None:
    model.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # save_pretrained writes 0600, which nobody else on a shared cluster can read


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file or folder beside `path` and put it there whole; leave nothing where writing fails."""
    part = path.with_name(f".{path.name}.part")
    _remove(part)
    try:
        write(part)
        if part.is_dir():
            _remove(path)  # a folder cannot replace another in one step
        os.replace(part, path)
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _resume(folder: Path, model: GPTNeoXForCausalLM, optimizer: torch.optim.Optimizer) -> int | None:
    if not (folder / RESUME).exists():
        return None
    state = torch.load(folder / RESUME, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
