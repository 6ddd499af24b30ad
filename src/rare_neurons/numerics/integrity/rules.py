"""The rules of integrity, one after the other on what the former ones left."""

from collections.abc import Sequence

import numpy as np

from rare_neurons.numerics.integrity.fingerprint import pairwise_distances
from rare_neurons.numerics.integrity.path import find_detours, order_z, run_detours
from rare_neurons.numerics.integrity.repeats import Repeats, find_repeats

_DISTANCE_FLOOR = 0.03  # ln units: 3 % of distance to the start
_LOSS_FLOOR = 0.02  # ln units: 2 % of the loss
# Longer runs are not told from the good checkpoints between a bad run and the weights it was taken from.
_LONGEST_RUN = 4


class CheckpointRules:
    """One run's facts, and what the rules have found so far.

    Attributes
    ----------
    status : dict of int to (str, str)
        Status and reason by index of the checkpoint, where it is not ``"ok"``.
    quarantined : set of int
        Indices that the later rules leave out.
    finite : list of int
        Indices of checkpoints whose entries are all finite.
    detour, start_z, canary_z : ndarray, shape (n,)
        The statistics judged; NaN where not defined.
    """

    def __init__(
        self, steps: list[int], *, distances: np.ndarray, projections: np.ndarray, log_loss: np.ndarray
    ) -> None:
        self.steps, self.distances, self.projections, self.log_loss = steps, distances, projections, log_loss
        self.status: dict[int, tuple[str, str]] = {}
        self.quarantined: set[int] = set()
        self.finite: list[int] = list(range(len(steps)))
        self.detour, self.start_z, self.canary_z = (np.full(len(steps), np.nan) for _ in range(3))

    def _quarantine(self, index: int, status: str, reason: str) -> None:
        self.status[index] = (status, reason)
        self.quarantined.add(index)

    def _good(self, *, collapsed: bool) -> list[int]:
        """List what is not quarantined; collapsed: one per block of equal adjacent checkpoints."""
        good = [index for index in self.finite if index not in self.quarantined]
        if not collapsed:
            return good
        return [i for p, i in enumerate(good) if p == 0 or self.distances[good[p - 1], i] > 0]

    def judge_finite(self) -> None:
        """Leave out checkpoints whose tensors hold entries that are not finite."""
        finite = np.isfinite(self.projections).all(axis=2)
        for index, row in enumerate(finite):
            if not row.all():
                self._quarantine(index, "non_finite", f"{int((~row).sum())} tensors hold NaN or infinite entries")
        self.finite = [index for index in self.finite if index not in self.quarantined]

    def judge_equal(self, digests: Sequence[Sequence[str]], max_unchanged: int) -> None:
        """Tell unchanged checkpoints from those that serve the weights of another step."""
        repeats = self._repeats(["|".join(digests[i]) for i in self.finite], self.finite, max_unchanged)
        for index, others in repeats.unchanged.items():
            self.status[index] = ("unchanged", f"same weights as {self._name(others)}")
        for index, kept in repeats.duplicate.items():
            if len(self.steps) - 1 in kept:
                self._quarantine(index, "equal_to_final", f"serves the weights of the final {self._name(kept)}")
            elif kept:
                self._quarantine(index, "duplicate", f"serves the weights of {self._name(kept)}")
            else:
                self._quarantine(index, "duplicate", "equal to steps that are not adjacent, and fits none better")

    def judge_partly_equal(self, digests: Sequence[Sequence[str]], sizes: np.ndarray, min_borrowed: float) -> None:
        """Leave out checkpoints some of whose tensors are another step's."""
        good = self._good(collapsed=True)
        for labels, tensors in _tensors_by_repeats([digests[i] for i in good], len(sizes)).items():
            share = float(sizes[tensors].sum() / sizes.sum())
            if share < min_borrowed:
                continue
            distances = pairwise_distances(self.projections[np.ix_(good, tensors)])
            repeats = find_repeats(labels, distances, log_loss=None, max_unchanged=len(good))
            for position, kept in repeats.duplicate.items():
                where = self._name([good[k] for k in kept]) if kept else "a step that is not adjacent"
                reason = f"{len(tensors)} tensors ({share:.0%} of the entries) are those of {where}"
                self._quarantine(good[position], "partial_duplicate", reason)

    def _repeats(self, labels: list[str], indices: list[int], max_unchanged: int) -> Repeats:
        """`find_repeats` on a subset, answered in indices of the run."""
        distances, log_loss = self.distances[np.ix_(indices, indices)], self.log_loss[indices]
        found = find_repeats(labels, distances, log_loss=log_loss, places=indices, max_unchanged=max_unchanged)
        translate = [
            {indices[p]: tuple(indices[k] for k in others) for p, others in part.items()}
            for part in (found.unchanged, found.duplicate)
        ]
        return Repeats(*translate)

    def judge_start(self, limit: float) -> None:
        """Leave out a first checkpoint that lies far from all others."""
        good = self._good(collapsed=True)
        if len(good) < 3:
            return
        jump = self.distances[good[0], good[1]] / self.distances[good[1], good[2]]
        if jump > limit:
            reason = (
                f"first distance is {jump:.0f} times the second, limit {limit:g}: later steps do not descend from it"
            )
            for index in range(good[0], good[1]):
                if index in self.finite and index not in self.quarantined:
                    self._quarantine(index, "foreign_start", reason)

    def judge_detours(self, limit: float) -> None:
        """Leave out checkpoints that lead the path away and back again."""
        good = self._good(collapsed=True)
        among = self.distances[np.ix_(good, good)]
        found = find_detours(among, limit=limit, max_run=min(_LONGEST_RUN, len(good) // 8))
        for position, ratio in found.items():
            reason = f"detour of {ratio:.1f} between the checkpoints around it, limit {limit:g}"
            self._quarantine(good[position], "detour", reason)
        self.detour[good] = run_detours(among, 1)
        kept = [position for position in range(len(good)) if position not in found]
        self.detour[[good[position] for position in kept]] = run_detours(among[np.ix_(kept, kept)], 1)
        self._fall_together(good)

    def _fall_together(self, good: Sequence[int]) -> None:
        """Leave out a block of equal checkpoints whose first member, which `good` holds, is left out."""
        for index in self._good(collapsed=False):
            twin = max((i for i in good if i <= index), default=index)
            if twin in self.quarantined and twin != index and self.distances[twin, index] == 0:
                self._quarantine(index, *self.status[twin])

    def judge_order(self, *, max_start_z: float, max_canary_z: float) -> None:
        """Leave out distances to the start that do not rise and canary losses that do not fall."""
        good = self._good(collapsed=True)
        later = good[1:]
        if later:
            self.start_z[later] = order_z(np.log(self.distances[good[0], later]), floor=_DISTANCE_FLOOR)
        known = [i for i in good if np.isfinite(self.log_loss[i])]
        self.canary_z[known] = -order_z(-self.log_loss[known], floor=_LOSS_FLOOR)
        for i in good:
            if abs(self.start_z[i]) > max_start_z:
                reason = (
                    f"distance to the start is {self.start_z[i]:+.1f} robust sd out of order, limit {max_start_z:g}"
                )
                self._quarantine(i, "out_of_order", reason)
            elif abs(self.canary_z[i]) > max_canary_z:
                reason = f"canary loss {self.canary_z[i]:+.1f} robust sd out of order, limit {max_canary_z:g}"
                self._quarantine(i, "loss_outlier", reason)

    def _name(self, indices: Sequence[int]) -> str:
        listed = [str(self.steps[i]) for i in indices]
        return f"step {listed[0]}" if len(listed) == 1 else f"steps {', '.join(listed)}"


def _tensors_by_repeats(digests: Sequence[Sequence[str]], n_tensors: int) -> dict[tuple[int, ...], list[int]]:
    """Group tensors that repeat at the same places: they came from one file, and are judged together."""
    places: dict[tuple[int, ...], list[int]] = {}
    for tensor in range(n_tensors):
        labels = tuple(_first_seen([row[tensor] for row in digests]))
        if list(labels) != sorted(labels):
            places.setdefault(labels, []).append(tensor)
    return places


def _first_seen(values: Sequence[str]) -> list[int]:
    """Give values numbers in the order of their first appearance."""
    seen: dict[str, int] = {}
    return [seen.setdefault(value, len(seen)) for value in values]
