"""One tensor at a time along a run's path: jumps, turns, norms beside those of the neighbours, straight lines."""

import numpy as np

from rare_neurons.numerics.integrity.limits import IntegrityLimits

_FLOOR = 0.01  # of a tensor's norm: smaller moves are no evidence, and rounded weights make some from nothing
_NEAR = 5.0  # the last checkpoint is asked only if the one before it lies at a fifth of its step or later
_GAIN = 0.5  # root mean square entry from which a vector is a norm's gain and as steady as a matrix
_VECTOR = 2.0  # times the limit of a matrix for other vectors: few entries, often near zero
_END = 2.0  # times the limit of what is seen from both sides, for what is seen from one
_CURVED = 0.1  # offset from the chord from which a path is no straight line; clean runs have 0.5
_SLOPE = 3.0  # a norm at the end may go on as fast as this many times before


def limit_factors(shapes: list[tuple[int, ...]], norms: np.ndarray) -> np.ndarray:
    """Return how many times the limit of a matrix each tensor is allowed to jump; shape (n_tensors,).

    Parameters
    ----------
    shapes : list of tuple of int
        Per tensor.
    norms : ndarray, shape (n, n_tensors)
    """
    size = np.array([float(np.prod(shape)) for shape in shapes])
    steady = np.median(norms, axis=0) / np.sqrt(size) > _GAIN
    return np.where(matrices(shapes) | steady, 1.0, _VECTOR)


def matrices(shapes: list[tuple[int, ...]]) -> np.ndarray:
    """Which tensors have two axes or more; shape (n_tensors,)."""
    return np.array([len(shape) > 1 for shape in shapes])


def jumps(projections: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """How far each tensor goes out and comes back, beside how far it goes around there.

    ``J_t(i) = min(d(i−1, i), d(i, i+1)) / max(d(i−1, i+1), d(i−2, i−1), d(i+1, i+2), |w| / 100)``, all of tensor t.
    About 0.5 on a random walk, large for a tensor from elsewhere (docs/methods/integrity.md).

    Parameters
    ----------
    projections : ndarray, shape (n, n_tensors, n_projections)
        Of distinct checkpoints, in the order of training.
    norms : ndarray, shape (n, n_tensors)

    Returns
    -------
    ndarray, shape (n, n_tensors)
        NaN at both ends, and everywhere with fewer than four checkpoints.
    """
    n = len(projections)
    found = np.full(norms.shape, np.nan)
    if n < 4:
        return found
    step, two = _moves(projections, 1), _moves(projections, 2)
    around = np.maximum(two, _FLOOR * np.maximum(norms[:-2], norms[2:]))
    around[1:] = np.maximum(around[1:], step[: n - 3])
    around[:-1] = np.maximum(around[:-1], step[2:])
    found[1:-1] = _ratio(np.minimum(step[:-1], step[1:]), around)
    return found


def norm_excursions(norms: np.ndarray) -> np.ndarray:
    """How far ln of each tensor's norm lies outside those of both neighbours; shape (n, n_tensors).

    0 or below between them; NaN at both ends and beside a norm of zero. A halved tensor has ln 2 less their distance.
    """
    log, found = _log(norms), np.full(norms.shape, np.nan)
    low, high = np.minimum(log[:-2], log[2:]), np.maximum(log[:-2], log[2:])
    found[1:-1] = np.maximum(low - log[1:-1], log[1:-1] - high)
    return found


def first_jumps(projections: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """First move of each tensor over its second, divided by the median of that ratio over the tensors.

    Shape (n_tensors,); NaN with fewer than three checkpoints.
    """
    if len(projections) < 3:
        return np.full(norms.shape[1], np.nan)
    first, second = _moves(projections[:3], 1)
    ratio = _ratio(first, np.maximum(second, _FLOOR * norms[1]))
    middle = _middle(ratio)
    return ratio / middle if middle > 0 else np.full(len(ratio), np.nan)


def end_falls(norms: np.ndarray) -> np.ndarray:
    """Fall of ln of each tensor's norm in the last move, beyond three times its change in the move before.

    Shape (n_tensors,); NaN with fewer than three checkpoints or beside a norm of zero.
    """
    if len(norms) < 3:
        return np.full(norms.shape[1], np.nan)
    before, last = np.diff(_log(norms[-3:]), axis=0)
    return -last - _SLOPE * np.abs(before)


def turns(projections: np.ndarray) -> np.ndarray:
    """How much nearer in angle a tensor's neighbours are to each other than either is to it.

    ``cos(i−1, i+1) − max(cos(i−1, i), cos(i, i+1))`` of each tensor: not above zero on a path, near the first term for
    a tensor of another run, whatever the lengths.

    Parameters
    ----------
    projections : ndarray, shape (n, n_tensors, n_projections)
        Of distinct checkpoints, in the order of training.

    Returns
    -------
    ndarray, shape (n, n_tensors)
        NaN at both ends and beside a tensor of zeros.
    """
    found = np.full(projections.shape[:2], np.nan)
    beside, across = _cosines(projections, 1), _cosines(projections, 2)
    found[1:-1] = across - np.fmax(beside[:-1], beside[1:])
    return found


def end_turns(projections: np.ndarray) -> np.ndarray:
    """Cosine of the two checkpoints before the last, less that of the last two, of each tensor; shape (n_tensors,)."""
    if len(projections) < 3:
        return np.full(projections.shape[1], np.nan)
    before, last = _cosines(projections[-3:], 1)
    return before - last


def tensor_excess(
    steps: list[int],
    projections: np.ndarray,
    norms: np.ndarray,
    shapes: list[tuple[int, ...]],
    limits: IntegrityLimits,
) -> np.ndarray:
    """Largest statistic of each tensor at each checkpoint, in units of its limit; shape (n, n_tensors).

    Norms and both ends of the run are asked of matrices alone; the last checkpoint only where the one before it is
    near. NaN where nothing is asked.
    """
    matrix = matrices(shapes)
    found = jumps(projections, norms) / (limits.max_tensor_jump * limit_factors(shapes, norms))
    found = np.fmax(found, turns(projections) / (limits.max_turn * np.where(matrix, 1.0, _VECTOR)))
    found = np.fmax(found, np.where(matrix, norm_excursions(norms) / limits.max_norm_jump, np.nan))
    if len(steps) < 4 or not matrix.any():
        return found
    found[0, matrix] = first_jumps(projections[:, matrix], norms[:, matrix]) / (_END * limits.max_tensor_jump)
    if steps[-1] <= _NEAR * steps[-2]:
        turned, fallen = end_turns(projections) / (_END * limits.max_turn), end_falls(norms) / limits.max_norm_jump
        found[-1] = np.where(matrix, np.fmax(turned, fallen), np.nan)
    return found


def chord_offsets(projections: np.ndarray) -> np.ndarray:
    """Distance of each checkpoint from the straight line between its neighbours, over what a random walk has.

    With x the move from the checkpoint before and D that from before to after, t = x·D/|D|², clipped to (0, 1):
    ``|x − tD| / (2 √(t(1 − t)) |D|)``, 0.5 on a random walk of equal steps. Zero for any weighted mean of the
    neighbours, up to rounding.

    Parameters
    ----------
    projections : ndarray, shape (n, k)
        Of distinct checkpoints, in the order of training.

    Returns
    -------
    ndarray, shape (n,)
        NaN at both ends and where the neighbours are equal.
    """
    found = np.full(len(projections), np.nan)
    move, chord = projections[1:-1] - projections[:-2], projections[2:] - projections[:-2]
    square = np.sum(chord**2, axis=1)
    t = np.clip(_ratio(np.sum(move * chord, axis=1), square), 1e-3, 1 - 1e-3)
    aside = np.sqrt(np.sum((move - t[:, None] * chord) ** 2, axis=1))
    found[1:-1] = _ratio(aside, np.sqrt(square)) / (2 * np.sqrt(t * (1 - t)))
    return found


def unusual_offsets(offsets: np.ndarray) -> np.ndarray:
    """Offsets from the chord, enlarged where the median shows that straight lines are usual there; NaN if all are.

    What decays without a gradient goes straight at every step and is no mean of its neighbours.
    """
    usual = _middle(offsets)
    return offsets / min(1.0, usual / _CURVED) if usual > _CURVED / 100 else np.full(len(offsets), np.nan)


def straight_matrices(projections: np.ndarray, norms: np.ndarray, shapes: list[tuple[int, ...]]) -> np.ndarray:
    """`unusual_offsets` of each matrix that moves by a hundredth of its norm; shape (n, n_tensors), else NaN."""
    found = np.full(norms.shape, np.nan)
    for tensor in np.flatnonzero(matrices(shapes)):
        found[:, tensor] = unusual_offsets(chord_offsets(projections[:, tensor]))
    moving = np.full(norms.shape, False)
    moving[1:-1] = _moves(projections, 2) > _FLOOR * np.maximum(norms[:-2], norms[2:])
    return np.where(moving, found, np.nan)


def end_distance(steps: list[int], distances: np.ndarray) -> float | None:
    """Distance of the last checkpoint to the one before it, over its distance to the first.

    Weights of another run are no nearer to the end of this one than to its start. None where it cannot be asked:
    fewer than three checkpoints, the one before the last earlier than a fifth of its step, the first later than an
    eighth.
    """
    if len(steps) < 3 or steps[-1] > _NEAR * steps[-2] or steps[-1] < 8 * steps[0] or distances[0, -1] == 0:
        return None
    return float(distances[-2, -1] / distances[0, -1])


def _moves(projections: np.ndarray, apart: int) -> np.ndarray:
    return np.sqrt(np.sum((projections[apart:] - projections[:-apart]) ** 2, axis=-1))


def _cosines(projections: np.ndarray, apart: int) -> np.ndarray:
    length = np.sqrt(np.sum(projections**2, axis=-1))
    inner = np.sum(projections[apart:] * projections[:-apart], axis=-1)
    return _ratio(inner, length[apart:] * length[:-apart])


def _middle(values: np.ndarray) -> float:
    """Median of what is known; 0 without any."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def _log(norms: np.ndarray) -> np.ndarray:
    return np.log(norms, out=np.full(norms.shape, np.nan), where=norms > 0)
