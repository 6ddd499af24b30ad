"""Checkpoints that serve the same weights: which are unchanged, which are duplicates, and which member stays."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

Block = tuple[int, ...]


@dataclass(frozen=True)
class Repeats:
    """Equal checkpoints of one run, as indices into its steps.

    Attributes
    ----------
    unchanged : dict of int to tuple of int
        Members of a block of adjacent equal checkpoints, each with the others of its block; kept.
    duplicate : dict of int to tuple of int
        Members that serve weights of another place, each with the place that keeps them; empty where no place fits
        better than the others, so that none is kept.
    """

    unchanged: dict[int, tuple[int, ...]]
    duplicate: dict[int, tuple[int, ...]]


def find_repeats(
    labels: Sequence[Hashable],
    distances: np.ndarray,
    *,
    log_loss: np.ndarray | None = None,
    places: Sequence[int] | None = None,
    max_unchanged: int = 3,
    tie_ratio: float = 1.05,
) -> Repeats:
    """Tell unchanged checkpoints from duplicates.

    Adjacent equal checkpoints form a block and are unchanged, unless the block is longer than `max_unchanged`: an
    optimizer does not stand still, so one end of it is kept (the first at the start of the run, the last at its end,
    else the one nearer to its neighbour). Of several blocks with equal weights one stays. Each place is judged
    against its nearest neighbours that are in no such group: the mean distance to them, the detour between them (at
    an end of the run: the step relative to the one beside it) and, where losses are given, the difference of log
    losses. Each is divided by its sum over the blocks; the smallest total stays, and is a neighbour to the groups
    still open. If all of these are ties, the final step keeps its weights, which are the published model.

    Parameters
    ----------
    labels : sequence
        One per checkpoint, in the order of training; equal labels mean equal weights.
    distances : ndarray, shape (n, n)
        Distances between checkpoints.
    log_loss : ndarray, shape (n,), optional
        Natural logarithm of the canary loss; NaN where unknown.
    places : sequence of int, optional
        Ascending place of each checkpoint in the run where others lie between; adjacent means consecutive places.
    max_unchanged : int
        Longest block that is believed.
    tie_ratio : float
        The second-best block must cost this many times the best, else it is a tie.
    """
    places = range(len(labels)) if places is None else places
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        groups[label].append(index)
    candidates = {label: _candidates(members, places, distances, max_unchanged) for label, members in groups.items()}
    stays = _choose(candidates, groups, distances, log_loss, tie_ratio)
    unchanged: dict[int, tuple[int, ...]] = {}
    duplicate: dict[int, tuple[int, ...]] = {}
    for label, members in groups.items():
        kept = stays[label]
        duplicate.update({index: kept for index in members if index not in kept})
        if len(kept) > 1:
            unchanged.update({index: tuple(other for other in kept if other != index) for index in kept})
    return Repeats(unchanged, duplicate)


def _candidates(members: list[int], places: Sequence[int], distances: np.ndarray, max_unchanged: int) -> list[Block]:
    """Blocks of adjacent members; of one that is too long to be believed, an end."""
    blocks = _blocks(members, places)
    return [_end_that_fits(block, distances) if len(block) > max_unchanged else block for block in blocks]


def _choose(
    candidates: dict[Hashable, list[Block]],
    groups: dict[Hashable, list[int]],
    distances: np.ndarray,
    log_loss: np.ndarray | None,
    tie_ratio: float,
) -> dict[Hashable, Block]:
    """Choose the block that stays for each label; what is settled serves as neighbour to the rest."""
    stays = {label: blocks[0] for label, blocks in candidates.items() if len(blocks) == 1}
    trusted = {index for label in stays for index in groups[label]}
    open_labels = [label for label in candidates if label not in stays]
    final = len(distances) - 1
    while open_labels:
        beside = sorted(trusted)
        found = {k: _block_that_fits(candidates[k], beside, distances, log_loss, tie_ratio) for k in open_labels}
        settled = {label: block for label, block in found.items() if block}
        if not settled:
            settled = {k: block for k in open_labels for block in candidates[k] if block[-1] == final}
        if not settled:
            break
        stays |= settled
        trusted |= {index for block in settled.values() for index in block}
        open_labels = [label for label in open_labels if label not in settled]
    return stays | dict.fromkeys(open_labels, ())


def _blocks(members: list[int], places: Sequence[int]) -> list[Block]:
    cuts = [i for i in range(1, len(members)) if places[members[i]] != places[members[i - 1]] + 1]
    return [tuple(members[a:b]) for a, b in zip([0, *cuts], [*cuts, len(members)], strict=True)]


def _end_that_fits(block: Block, distances: np.ndarray) -> Block:
    first, last = block[0], block[-1]
    if last == len(distances) - 1:
        return (last,)
    if first == 0:
        return (first,)
    return (first,) if distances[first - 1, first] <= distances[last, last + 1] else (last,)


def _block_that_fits(
    blocks: list[Block], outside: list[int], distances: np.ndarray, log_loss: np.ndarray | None, tie_ratio: float
) -> Block:
    if not outside:
        return ()
    around = [_neighbours(block, outside) for block in blocks]
    beside = [[*before[:1], *after[:1]] for before, after in around]
    # A late branch under an early name makes a long detour; an early one under a late name hardly any, but is far
    # from its neighbours: each vote is blind where the other sees.
    cost = _shares([np.mean(distances[b[0], near]) for b, near in zip(blocks, beside, strict=True)])
    misfit = [_misfit(b[0], *near, distances) for b, near in zip(blocks, around, strict=True)]
    if np.all(np.isfinite(misfit)):
        cost = cost + _shares(misfit)
    if log_loss is not None:
        gaps = [np.mean(np.abs(log_loss[near] - log_loss[b[0]])) for b, near in zip(blocks, beside, strict=True)]
        if np.all(np.isfinite(gaps)):
            cost = cost + _shares(gaps)
    best, second = np.sort(cost)[:2]
    return blocks[int(np.argmin(cost))] if second > tie_ratio * best else ()


def _neighbours(block: Block, outside: list[int]) -> tuple[list[int], list[int]]:
    """List the two checkpoints before and the two after a block, nearest first."""
    return [i for i in outside if i < block[0]][:-3:-1], [i for i in outside if i > block[-1]][:2]


def _misfit(index: int, before: list[int], after: list[int], distances: np.ndarray) -> float:
    """Detour of the weights at this place; at an end of the run, the last step's length over the one beside it."""
    if before and after:
        way, scale = distances[before[0], index] + distances[index, after[0]], distances[before[0], after[0]]
    else:
        near = before or after
        if len(near) < 2:
            return float("nan")
        way, scale = distances[near[0], index], distances[near[0], near[1]]
    return max(1.0, float(way / scale)) if scale > 0 else float("nan")


def _shares(cost: list[float]) -> np.ndarray:
    cost = np.asarray(cost, dtype=np.float64)
    return cost / cost.sum() if cost.sum() > 0 else np.full(len(cost), 1 / len(cost))
