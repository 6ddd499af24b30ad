"""Gradient times update of every weight, from what enters and leaves each module.

Every module with weights of its own is linear in them: with inputs as they are and the update `Δ` for weights it gives
`y_Δ`, and `Σ ∂L/∂θ Δ = Σ_t ∂L/∂y_t · y_Δ,t`, position by position. No gradient of a weight is made, all losses share
`y_Δ`, and sums over the contexts of a fold come without passes of their own. Sums over a context's positions are in the
model's dtype, sums over contexts in float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.func import functional_call
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.units import Share, Units
from rare_neurons.models.layers.taps import frozen


@dataclass(frozen=True)
class _Call:
    """One module's call: its output, with a gradient, and what its weights' update would add to it.

    Of a module that is cut by its inputs, `inputs` `[context, pos, input]` in place of `change`.
    """

    share: Share
    output: torch.Tensor
    change: torch.Tensor | None
    inputs: torch.Tensor | None


@dataclass(frozen=True)
class Read:
    """Logits `[target, vocab]` of some targets, what the update would add to them, and each target's context."""

    logits: torch.Tensor
    change: torch.Tensor
    context: torch.Tensor


class TappedModel:
    """A model whose forward passes keep what products of gradients and the update need.

    Parameters
    ----------
    model : PreTrainedModel
    units : Units
    update : mapping of str to Tensor
        Update of each parameter, by name.
    class_of_id : Tensor `[vocab]`
        Class of each token id.

    Raises
    ------
    RequestError
        If a parameter belongs to no unit.
    """

    def __init__(
        self, model: PreTrainedModel, units: Units, update: Mapping[str, torch.Tensor], class_of_id: torch.Tensor
    ) -> None:
        self.model, self.n_units, self.class_of_id = model, len(units.units), class_of_id
        self.in_class = torch.nn.functional.one_hot(class_of_id).to(model.dtype)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.shares = units.shares
        self.updates: dict[str, dict[str, torch.Tensor]] = {}
        for share in self.shares:
            own = model.get_submodule(share.module).named_parameters(recurse=False)
            self.updates[share.module] = {local: update[names[id(parameter)]] for local, parameter in own}
        covered = {id(p) for s in self.shares for p in model.get_submodule(s.module).parameters(recurse=False)}
        left = [name for key, name in names.items() if key not in covered]
        if left:
            raise RequestError(
                f"{len(left)} tensors belong to no unit, first {left[0]!r}; add them in allocation/units"
            )
        self.head = next(share for share in self.shares if share.way == "vocabulary")

    def run(self, token_ids: torch.Tensor) -> LinePass:
        """Run contexts `[context, pos]` and keep the graph; the model is left as it was."""
        token_ids = token_ids.to(self.model.device)
        with torch.enable_grad(), frozen(self.model), self._tapping(len(token_ids)) as calls:
            hidden = self.model.base_model(input_ids=token_ids, use_cache=False).last_hidden_state
        with torch.no_grad():
            made = [self._call(*call, token_ids.shape) for call in calls]
        return LinePass(self, token_ids, hidden, made)

    def _call(
        self, share: Share, args: tuple[object, ...], kwargs: dict[str, object], output: torch.Tensor, shape: torch.Size
    ) -> _Call:
        if share.way == "input":
            return _Call(share, output, None, args[0].detach().reshape(*shape, -1))
        return _Call(share, output, self.changed(share, *args, **kwargs), None)

    def changed(self, share: Share, *args: object, **kwargs: object) -> torch.Tensor:
        """Call a module with its weights' update for weights."""
        return functional_call(self.model.get_submodule(share.module), self.updates[share.module], args, kwargs)

    @contextmanager
    def _tapping(self, n_contexts: int) -> Iterator[list[tuple[Share, tuple, dict, torch.Tensor]]]:
        """Record the calls of all modules with weights; hooks are gone afterwards."""
        calls: list[tuple[Share, tuple, dict, torch.Tensor]] = []

        def tap(share: Share) -> object:
            def hook(_module: torch.nn.Module, args: tuple, kwargs: dict, output: torch.Tensor) -> torch.Tensor | None:
                kept = output
                if not output.requires_grad:
                    # Learned positions come once for all contexts, and are wanted for each.
                    kept = output.detach().expand(n_contexts, *output.shape[1:]).clone().requires_grad_()
                calls.append((share, args, kwargs, kept))
                return kept

            return hook

        shares = [share for share in self.shares if share.way != "vocabulary"]
        handles = [
            self.model.get_submodule(share.module).register_forward_hook(tap(share), with_kwargs=True)
            for share in shares
        ]
        try:
            yield calls
        finally:
            for handle in handles:
                handle.remove()


class LinePass:
    """A forward pass at a place of the line.

    Attributes
    ----------
    hidden : Tensor `[context, pos, d_model]`
        What enters the unembedding.
    """

    def __init__(self, tapped: TappedModel, token_ids: torch.Tensor, hidden: torch.Tensor, calls: list[_Call]) -> None:
        self._tapped, self._calls, self.hidden = tapped, calls, hidden
        self._classes = tapped.class_of_id.to(token_ids.device)[token_ids]

    def read(self, context: torch.Tensor, position: torch.Tensor) -> Read:
        """Logits at some positions; the graph goes on from there."""
        device = self.hidden.device
        context = context.to(device)
        at = self.hidden[context, position.to(device)]
        head = self._tapped.model.get_output_embeddings()
        with torch.enable_grad(), frozen(head):
            logits = head(at)
        with torch.no_grad():
            change = self._tapped.changed(self._tapped.head, at.detach())
        return Read(logits, change, context)

    def contract(self, loss: torch.Tensor, read: Read) -> torch.Tensor:
        """Gradient of a loss times the update, summed over each unit's weights `[context, unit]`, float64."""
        outputs = [*(call.output for call in self._calls), read.logits]
        gradients = torch.autograd.grad(loss, outputs, retain_graph=True)
        with torch.no_grad():
            found = [
                self._entries(call, g.reshape(call.output.shape))
                for call, g in zip(self._calls, gradients[:-1], strict=True)
            ]
            found.append((self._tapped.head.owners, self._of_vocabulary(read, gradients[-1])))
        entries, owners = [], []
        for owner, values in found:
            entries.append(values.repeat_interleave(owner.shape[1], dim=1) / owner.shape[1])
            owners.append(owner.reshape(-1))
        flat = torch.cat([part.to(self.hidden.device) for part in entries], 1)
        total = flat.new_zeros(len(flat), self._tapped.n_units)
        return total.index_add_(1, torch.cat(owners).to(flat.device), flat)

    def _entries(self, call: _Call, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Owners `[entry, owner]` and sums `[context, entry]` of one module's entries."""
        share, (n_contexts, length) = call.share, self._classes.shape
        if share.way == "input":
            return self._of_inputs(call, g.reshape(n_contexts, length, -1))
        product = (g * call.change).reshape(n_contexts, length, -1)
        if share.way == "output":
            return share.owners, product.sum(1).double()
        of_position = product.sum(-1).double()
        if share.way == "all":
            return share.owners, of_position.sum(1, keepdim=True)
        zeros = of_position.new_zeros(n_contexts, len(share.owners))
        return share.owners, zeros.scatter_add_(1, self._classes.to(zeros.device), of_position)

    def _of_inputs(self, call: _Call, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        update = self._tapped.updates[call.share.module]
        matrix = call.share.spec.select(update["weight"])  # W_out [neuron, d_model], W_O [d_model, entry]
        back = g @ (matrix.T if call.share.spec.matrix == "W_out" else matrix)
        found = (back * call.inputs).sum(1).double()
        if "bias" not in update:
            return call.share.owners, found
        of_bias = g.sum(1).double() @ update["bias"].double()
        owners = torch.cat([call.share.owners, torch.tensor([[call.share.bias_owner]])])
        return owners, torch.cat([found, of_bias[:, None]], 1)

    def _of_vocabulary(self, read: Read, g: torch.Tensor) -> torch.Tensor:
        """Give the sums `[context, class]` over the rows of the unembedding of each class."""
        by_class = ((g * read.change) @ self._tapped.in_class.to(g)).double()
        zeros = by_class.new_zeros(len(self._classes), by_class.shape[1])
        return zeros.index_add_(0, read.context, by_class)
