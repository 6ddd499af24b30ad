"""The plain way: gradients of all weights by autograd."""

import numpy as np
import torch

SCALE = 0.02
"""Of updates, beside weights of about 0.4."""


def panel_loss(model, panel, stratum, part, rows=slice(None), weights=1.0):
    """Sum over a stratum's targets of a loss `[]`, with a graph to the weights, by the library's own logits."""
    s = panel.strata.index(stratum)
    mine = np.flatnonzero(panel.stratum == s)[rows]
    logits = model(torch.from_numpy(panel.token_ids)).logits[panel.context[mine], panel.position[mine]]
    inside = torch.zeros(logits.shape[1], dtype=torch.bool)
    inside[torch.from_numpy(np.flatnonzero(panel.vocab_stratum == s))] = True
    among = logits if part == "whole" else logits.masked_fill(~inside, -torch.inf)
    return ((among.logsumexp(1) - logits[np.arange(len(mine)), panel.target_id[mine]]) * weights).sum()


def gradients(model, loss_of):
    """Gradient of a loss of the model for each parameter, by name; zero where it does not depend on one."""
    model.requires_grad_(True)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None  # torch leaves the gradient of that row out, though the loss depends on it
    names, weights = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(loss_of(model), weights, allow_unused=True)
    return {name: torch.zeros_like(p) if g is None else g for name, p, g in zip(names, weights, found, strict=True)}


def random_update(model, seed=7, scale=SCALE):
    """An update of every parameter."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: scale * torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.dtype)
        for name, p in model.named_parameters()
    }


def move(model, update):
    """Add an update to a model's weights."""
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            parameter.add_(update[path])
    return model
