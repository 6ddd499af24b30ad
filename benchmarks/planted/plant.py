"""Checkpoints in which the truth is known: neurons that serve rare tokens from a known step on, and noise before.

A series starts from an untrained network. Every checkpoint adds fresh noise to all its weight matrices, so that nothing
but noise ever changes; from the planted step on K neurons of the last layer also write a direction that lowers (or
raises) the loss *within* the rare stratum, by equal amounts. The direction of a neuron is what its activation says
about the target: ``d_i = mean of (a_i − ā_i) g`` over rare targets of training text, g the gradient of the target's log
probability within its stratum with respect to the final residual stream. To first order, mean-ablating a neuron that
writes ``c d_i`` costs ``c d_i · mean of (a_i − ā_i) g``, measured on other training text, which sets c.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from rare_neurons.models.influence.probe import ProbeResult
from rare_neurons.models.loading import load_model
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.moments import mean_square_leave_outs
from rare_neurons.tables import read_table


@dataclass(frozen=True)
class Plant:
    """What is planted.

    Attributes
    ----------
    neurons : ndarray of int, shape (k,)
        Of the last layer.
    directions : Tensor, shape (k, d_model)
        Added to the neurons' output weights.
    """

    neurons: np.ndarray
    directions: torch.Tensor


def initialise(config: GPTNeoXConfig, folder: Path, *, seed: int) -> Path:
    """Write an untrained network."""
    torch.manual_seed(seed)
    GPTNeoXForCausalLM(config).save_pretrained(folder)
    return folder


def write_series(
    base: Path,
    folder: Path,
    *,
    steps: list[int],
    seed: int,
    noise: float,
    plant: Plant | None = None,
    planted_step: int = 0,
) -> None:
    """Write ``folder/step{step}`` for all steps: the base with fresh noise, and what is planted from its step on.

    Parameters
    ----------
    base, folder : Path
    steps : list of int
    seed : int
    noise : float
        Standard deviation of the noise, as a share of each matrix's own.
    plant : Plant, optional
    planted_step : int
        First step that has it.
    """
    generator = torch.Generator().manual_seed(seed)
    tensors = load_file(base / "model.safetensors")
    last = max(int(name.split(".layers.")[1].split(".")[0]) for name in tensors if ".layers." in name)
    W_out = f"gpt_neox.layers.{last}.mlp.dense_4h_to_h.weight"
    for step in steps:
        changed = {}
        for name, value in tensors.items():
            spread = noise * value.std() if value.ndim == 2 else 0.0
            changed[name] = value + spread * torch.randn(value.shape, generator=generator)
        if plant is not None and step >= planted_step:
            changed[W_out][:, plant.neurons] += plant.directions.T.to(changed[W_out].dtype)
        target = folder / f"step{step}"
        shutil.copytree(base, target, ignore=shutil.ignore_patterns("*.safetensors"))
        save_file(
            {name: value.contiguous() for name, value in changed.items()},
            target / "model.safetensors",
            {"format": "pt"},
        )


def training_contexts(tokens: Path, *, length: int, n_most: int = 4000) -> np.ndarray:
    """Contexts `[context, pos]` of text that no panel has, in random order."""
    table = read_table(tokens, ["heldout", "token_ids"])
    rows = zip(table["heldout"].to_pylist(), table["token_ids"], strict=True)
    stream = np.concatenate([ids.values.to_numpy() for heldout, ids in rows if not heldout])
    contexts = stream[: len(stream) // length * length].reshape(-1, length)
    return np.random.default_rng(0).permutation(contexts)[:n_most]


def influence_floor(found: ProbeResult, stratum: int) -> float:
    """Root of the standard error of the mean square within a stratum: what rms noise alone may show (nats)."""
    square = mean_square_leave_outs(np.moveaxis(found.cell_within_sum[stratum], -1, 0), found.cell_n[stratum])
    return float(np.sqrt(standard_error(square)))


def fit_plant(
    base: Path, contexts: np.ndarray, stratum: np.ndarray, *, k: int, effect: float, signs: str, seed: int
) -> Plant:
    """Choose neurons and directions so that each has the effect asked for on its stratum.

    Parameters
    ----------
    base : Path
        Checkpoint that they are fitted to.
    contexts : ndarray of int, shape (context, pos)
        Training text.
    stratum : ndarray of bool, shape (vocab,)
        Types of the stratum.
    k : int
    effect : float
        Nats that mean-ablating one of the neurons costs on the stratum's targets.
    signs : {"one", "mixed"}
        Whether all serve the stratum, or half of them harm it.
    seed : int
        Of the choice among the better half of the neurons.
    """
    model = load_model(base, dtype=torch.float32)
    half = len(contexts) // 2
    fitted, checked = (_agreement(model, part, stratum) for part in (contexts[:half], contexts[half:]))
    gain = (fitted * checked).sum(1)  # of direction d_i itself, on text that did not make it
    rng = np.random.default_rng(seed)
    better = torch.argsort(gain / fitted.norm(dim=1), descending=True)[: max(2 * k, len(gain) // 2)].numpy()
    chosen = np.sort(rng.choice(better, min(k, len(better)), replace=False))
    size = np.full(len(chosen), effect) * (1 if signs == "one" else np.where(np.arange(len(chosen)) % 2, -1, 1))
    scale = torch.from_numpy(size / gain[chosen].numpy()).float()
    return Plant(chosen, fitted[chosen] * scale[:, None])


def plant_frequency(base: Path, log_unigram: np.ndarray, *, k: int, size: float, seed: int) -> Plant:
    """Let neurons write along the log-unigram direction: probability moves between strata and not within them.

    Parameters
    ----------
    base : Path
    log_unigram : ndarray, shape (vocab,)
    k : int
    size : float
        Length of what is written, in lengths of the neurons' own output rows.
    seed : int
    """
    tensors = load_file(base / "model.safetensors")
    last = max(int(name.split(".layers.")[1].split(".")[0]) for name in tensors if ".layers." in name)
    W_out, W_U = tensors[f"gpt_neox.layers.{last}.mlp.dense_4h_to_h.weight"], tensors["embed_out.weight"]
    seen = torch.from_numpy(np.isfinite(log_unigram))
    weight = torch.where(seen, torch.from_numpy(np.nan_to_num(log_unigram, neginf=0.0)), 0.0).float()
    direction = (weight - weight[seen].mean() * seen) @ W_U[: len(weight)]
    length = size * W_out.norm(dim=0).mean()
    chosen = np.sort(np.random.default_rng(seed).choice(W_out.shape[1], k, replace=False))
    return Plant(chosen, (direction / direction.norm() * length).repeat(k, 1))


def _agreement(model: torch.nn.Module, contexts: np.ndarray, stratum: np.ndarray) -> torch.Tensor:
    """Mean over the stratum's targets of ``(a − ā) g``, shape (neuron, d_model)."""
    last, norm = model.gpt_neox.layers[-1], model.gpt_neox.final_layer_norm
    member = torch.from_numpy(np.flatnonzero(stratum))
    place = torch.full((len(stratum),), -1)
    place[member] = torch.arange(len(member))
    W_U = model.get_output_embeddings().weight[member]
    total, sums, n = torch.zeros(0), torch.zeros(0), 0
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        last.mlp.act.register_forward_hook(lambda m, i, o: seen.__setitem__("a", o.detach())),
        norm.register_forward_pre_hook(lambda m, i: seen.__setitem__("r", i[0].detach())),
    ]
    for start in range(0, len(contexts), 32):
        ids = torch.from_numpy(contexts[start : start + 32].astype(np.int64))
        with torch.no_grad():
            model(ids)
        target = place[ids[:, 1:]]
        wanted = target >= 0
        r = seen["r"][:, :-1][wanted].requires_grad_(True)
        log_p = torch.log_softmax(norm(r) @ W_U.T, dim=-1)
        (gradient,) = torch.autograd.grad(log_p[torch.arange(len(r)), target[wanted]].sum(), r)
        a = seen["a"][:, :-1]
        found = a[wanted].T @ gradient
        mean_part = gradient.sum(0)
        total = found if not n else total + found
        sums = mean_part if not n else sums + mean_part
        natural = a.reshape(-1, a.shape[-1])
        seen["mean"] = seen.get("mean", 0) + natural.sum(0)
        seen["count"] = seen.get("count", torch.zeros(())) + len(natural)
        n += len(r)
    for hook in hooks:
        hook.remove()
    mean = seen["mean"] / seen["count"]
    return (total - torch.outer(mean, sums)) / n
