"""The rules of integrity that look at one tensor at a time, and at weights between or beyond the run's own."""

import numpy as np

from rare_neurons.numerics.integrity.chord import chord_offsets, straight_matrices, unusual_offsets
from rare_neurons.numerics.integrity.limits import IntegrityLimits
from rare_neurons.numerics.integrity.rules import CheckpointRules
from rare_neurons.numerics.integrity.tensor_path import end_distance, matrices, tensor_excess
from rare_neurons.numerics.integrity.tensors import Tensors

# Of `min_chord`, for single matrices: of many, some go straight by chance.
_SINGLE = 0.25


class TensorRules(CheckpointRules):
    """One run's facts, tensor by tensor.

    Attributes
    ----------
    chord, excess, end : ndarray, shape (n,)
        Distance from the straight line between the neighbours; largest statistic of a tensor in units of its limit;
        distance of the last checkpoint to the one before it over that to the first. NaN where not defined.
    odd_tensor : dict of int to str
        Tensor that `excess` is about, by index of the checkpoint.
    """

    def __init__(self, steps: list[int], *, tensors: Tensors, norms: np.ndarray, **facts: np.ndarray) -> None:
        super().__init__(steps, **facts)
        self.names, self.shapes = [name for name, _ in tensors], [shape for _, shape in tensors]
        self.norms = norms
        self.chord, self.excess, self.end = (np.full(len(steps), np.nan) for _ in range(3))
        self.odd_tensor: dict[int, str] = {}

    def judge_straight(self, min_chord: float) -> None:
        """Leave out checkpoints that are, in whole or in a matrix, a weighted mean of their neighbours."""
        good = self._good(collapsed=True)
        if len(good) < 3:
            return
        kept = self.projections[good]
        self.chord[good] = chord_offsets(kept.reshape(len(good), -1))
        whole = unusual_offsets(self.chord[good])
        single = straight_matrices(kept, self.norms[good], self.shapes)
        for position, index in enumerate(good):
            straight = np.flatnonzero(single[position] < _SINGLE * min_chord)
            if whole[position] < min_chord:
                what, limit = f"all weights lie {whole[position]:.2g}", min_chord
            elif len(straight):
                what, limit = f"{self._named(straight)} lies {np.nanmin(single[position]):.2g}", _SINGLE * min_chord
            else:
                continue
            reason = f"{what} from the straight line between the neighbours, limit {limit:g}: a mean of them"
            self._quarantine(index, "interpolated", reason)
        self._fall_together(good)

    def judge_end(self, limit: float) -> None:
        """Leave out a last checkpoint that is no nearer to the run's end than to its start."""
        good = self._good(collapsed=True)
        matrix = matrices(self.shapes)
        asked = self.projections[good][:, matrix if matrix.any() else slice(None)]
        found = end_distance([self.steps[i] for i in good], asked)
        if found is None:
            return
        self.end[good[-1]] = found
        if found > limit:
            what = f"{found:.2f} times as far from the step before as from the start, limit {limit:g}"
            reason = f"{what}: of another run or an early step"
            self._quarantine(good[-1], "foreign_end", reason)
        self._fall_together(good)

    def judge_tensors(self, limits: IntegrityLimits) -> None:
        """Leave out checkpoints with tensors that do not belong there, the clearest first."""
        good = self._good(collapsed=True)
        kept = list(good)
        while len(kept) > 3:
            asked = self._asked(kept, limits)
            self._note(kept, asked)
            worst = int(np.argmax(asked.max(axis=1)))
            odd = np.flatnonzero(asked[worst] > 1)
            if not len(odd):
                break
            what = f"{self._named(odd)} lies off the path of the run"
            reason = f"{what}, up to {asked[worst].max():.1f} times the limit"
            self._quarantine(kept.pop(worst), "odd_tensors", reason)
        self._fall_together(good)

    def _asked(self, kept: list[int], limits: IntegrityLimits) -> np.ndarray:
        steps = [self.steps[i] for i in kept]
        found = tensor_excess(steps, self.projections[kept], self.norms[kept], self.shapes, limits)
        return np.where(np.isfinite(found), found, -np.inf)

    def _note(self, kept: list[int], asked: np.ndarray) -> None:
        for position, index in enumerate(kept):
            largest = int(np.argmax(asked[position]))
            if np.isfinite(asked[position, largest]):
                self.excess[index], self.odd_tensor[index] = asked[position, largest], self.names[largest]

    def _named(self, tensors: np.ndarray) -> str:
        first = self.names[tensors[0]]
        return first if len(tensors) == 1 else f"{len(tensors)} of {len(self.names)} tensors, first {first},"
