"""Where neurons are active, counted while a forward pass runs: by type, by position, and lists of the rare ones."""

from __future__ import annotations

import numpy as np
import torch

from rare_neurons.numerics.kinds.counts import LayerCounts
from rare_neurons.numerics.kinds.ngrams import N_PARTS, Text

FREQUENT = 512
"""Most frequent types that are counted one by one."""

LISTED = 0.01
"""Largest share of positions at which a neuron is active that has a list of them."""

MOST_ENTRIES = 60_000_000
"""Entries of all lists together, 6 bytes each: beyond, the most active neurons lose theirs."""

EARLY = 4.0
"""A neuron this many times too active on the first positions gets no list, so that none has to be thrown away."""


class ActivityCounts:
    """Counts of all layers, for `taps.tapped_mlps`; call `advance` after each batch of contexts.

    Per layer `[pos, neuron]` twice in int16 and `[part, frequent, neuron]` in int32: 0.8 GB for 24 layers of 4,096
    neurons and contexts of 1,024 tokens, and the lists.

    Parameters
    ----------
    text : Text
        All contexts of the pass, in its order.
    n_layers, seed : int
        The seed of the rotations.
    listed : float
        As `LISTED`.
    most_entries : int
        As `MOST_ENTRIES`.
    """

    def __init__(
        self, text: Text, *, n_layers: int, seed: int = 0, listed: float = LISTED, most_entries: int = MOST_ENTRIES
    ) -> None:
        self.text, self.start = text, 0
        self.frequent = text.frequent_types(FREQUENT)
        slot = np.full(int(text.token_ids.max()) + 1, len(self.frequent))
        slot[self.frequent] = np.arange(len(self.frequent))
        self.slot = torch.from_numpy(slot)
        n_positions = text.token_ids.shape[1] - text.min_position
        self.shifts = np.random.default_rng(seed).integers(1, max(2, n_positions), size=len(text.token_ids))
        self.most_listed = listed * len(text.token_ids) * n_positions
        self.share, self.most_entries = listed, most_entries
        self.layers: list[_Layer | None] = [None] * n_layers

    def visit(self, layer: int, pre: torch.Tensor, post: torch.Tensor) -> None:
        """Count one batch of one layer."""
        length = self.text.token_ids.shape[1]
        n_contexts = len(pre) // length
        stop, first = self.start + n_contexts, self.text.min_position
        active = (pre > 0).view(n_contexts, length, -1)[:, first:]
        if self.layers[layer] is None:
            self.layers[layer] = _Layer(active.shape[1], active.shape[2], len(self.frequent), len(self.text.token_ids))
        counts = self.layers[layer]
        counts.add_positions(active, self.shifts[self.start : stop])
        slots = self.slot[torch.from_numpy(self.text.token_ids[self.start : stop, first:])]
        parts = torch.from_numpy(self.text.part[self.start : stop])[:, None]
        counts.add_types((parts * (len(self.frequent) + 1) + slots).flatten(), active.flatten(0, 1))
        counts.add_moments(post.view(n_contexts, length, -1)[:, first:].flatten(0, 1))
        seen = stop * active.shape[1]
        allowed = min(self.most_listed, EARLY * self.share * seen + 64)
        counts.add_list(active, allowed, offset=self.start * length + first, length=length)

    def advance(self, n_contexts: int) -> None:
        """Say how many contexts are done, and keep the lists within their bound."""
        self.start = n_contexts
        layers = [layer for layer in self.layers if layer is not None]
        while sum(layer.entries() for layer in layers) > self.most_entries:
            largest = max(int(layer.active[layer.listed].max(initial=0)) for layer in layers)
            for layer in layers:
                layer.drop(layer.active > largest // 2)

    def finish(self) -> list[LayerCounts]:
        """Return the counts of every layer, and give up the running ones."""
        found = []
        for k, layer in enumerate(self.layers):
            if layer is not None:
                found.append(layer.finish(self.frequent))
                self.layers[k] = None  # its counts are copied: not all of them twice at a time
        return found


class _Layer:
    """Running counts of one layer, on the processor."""

    def __init__(self, n_positions: int, n_neurons: int, n_frequent: int, n_contexts: int) -> None:
        small = torch.int16 if n_contexts < 2**15 else torch.int32
        self.by_position, self.by_rotated = (torch.zeros(n_positions, n_neurons, dtype=small) for _ in range(2))
        # Adding rows is twice as fast in float32, which counts exactly up to 2^24.
        exact = torch.float32 if n_contexts * n_positions < 2**24 else torch.int32
        self.by_type = torch.zeros(N_PARTS * (n_frequent + 1), n_neurons, dtype=exact)
        self.active = np.zeros(n_neurons, dtype=np.int64)
        self.n, self.mean, self.squares = 0, *torch.zeros(2, n_neurons, dtype=torch.float64)
        self.listed = np.ones(n_neurons, dtype=bool)
        self.small = np.int16 if n_neurons < 2**15 else np.int32
        self.lists: list[tuple[np.ndarray, np.ndarray]] = []

    def entries(self) -> int:
        """Entries of all lists."""
        return sum(len(places) for places, _ in self.lists)

    def add_positions(self, active: torch.Tensor, shifts: np.ndarray) -> None:
        """Count by position, and with the positions of each context rotated."""
        active = active.cpu()
        counts = active.sum(0, dtype=self.by_position.dtype)
        self.by_position += counts
        self.active += counts.sum(0).numpy()
        for context, shift in zip(active, shifts.tolist(), strict=True):
            self.by_rotated[shift:] += context[: len(context) - shift]
            self.by_rotated[:shift] += context[len(context) - shift :]

    def add_types(self, labels: torch.Tensor, active: torch.Tensor) -> None:
        """Count by part and type: labels `[token]`."""
        self.by_type.index_add_(0, labels, active.cpu().to(self.by_type.dtype))

    def add_moments(self, post: torch.Tensor) -> None:
        """Add to mean and squared deviations (Chan, Golub & LeVeque 1983, eq. 2.1)."""
        # Float32 within a batch: the standard deviation decides nothing finer than a hundredth of a median.
        n, mean = len(post), post.mean(0)
        squares = (post - mean).square_().sum(0).double().cpu()
        shift, total = mean.double().cpu() - self.mean, self.n + n
        self.squares += squares + shift.square() * (self.n * n / total)
        self.mean, self.n = self.mean + shift * (n / total), total

    def add_list(self, active: torch.Tensor, allowed: float, *, offset: int, length: int) -> None:
        """Append the places of neurons that are active rarely enough so far."""
        self.drop(self.active > allowed)
        columns = np.flatnonzero(self.listed)
        if not len(columns):
            return
        context, position, neuron = torch.nonzero(active[:, :, torch.from_numpy(columns)].cpu(), as_tuple=True)
        places = (context * length + position + offset).numpy().astype(np.int32)
        self.lists.append((places, columns[neuron.numpy()].astype(self.small)))

    def drop(self, too_active: np.ndarray) -> None:
        """Give up the lists of some neurons."""
        gone = self.listed & too_active
        if gone.any():
            self.listed &= ~too_active
            self.lists = [(p[k], n[k]) for p, n in self.lists for k in (self.listed[n],)]

    def finish(self, frequent: np.ndarray) -> LayerCounts:
        """Bring lists in the order of neurons, places increasing."""
        places = np.concatenate([p for p, _ in self.lists] or [np.empty(0, np.int32)])
        neurons = np.concatenate([n for _, n in self.lists] or [np.empty(0, self.small)])
        self.lists = []
        order = np.argsort(neurons, kind="stable")
        by_type = self.by_type.to(torch.int32).numpy().reshape(N_PARTS, len(frequent) + 1, -1)
        return LayerCounts(
            n_active=by_type.sum(axis=1),
            frequent=frequent,
            by_type=by_type[:, :-1],
            by_position=self.by_position.numpy(),
            by_rotated=self.by_rotated.numpy(),
            listed=self.listed,
            offsets=np.searchsorted(neurons[order], np.arange(len(self.listed) + 1)),
            positions=places[order],
            sd=np.sqrt(self.squares.numpy() / self.n),
        )
