"""One tensor at a time along a run's path: jumps, turns, and norms beside those of the other tensors."""

import numpy as np

from rare_neurons.numerics.integrity.limits import IntegrityLimits
from rare_neurons.numerics.integrity.ratios import cosines, middle, moves, ratio

_FLOOR = 0.002  # of a tensor's norm, the rounding of bfloat16: smaller moves are no evidence
_FAR = 0.01  # the same for the direction of what has moved, which a few rounded entries may decide
_NEAR = 5.0  # the last checkpoint is asked only if the one before it lies at a fifth of its step or later
_GAIN = 0.5  # root mean square entry from which a vector is a norm's gain and as steady as a matrix
_VECTOR = 2.0  # times the limit of a matrix for other vectors: few entries, often near zero
_END = 2.0  # times the limit of what is seen from both sides, for what is seen from one
_END_NORM = 1.3  # the same for norms


def limit_factors(shapes: list[tuple[int, ...]], norms: np.ndarray) -> np.ndarray:
    """Return how many times the limit of a matrix each tensor is allowed to jump; shape (n_tensors,).

    Parameters
    ----------
    shapes : list of tuple of int
        Per tensor.
    norms : ndarray, shape (n, n_tensors)
    """
    return np.where(matrices(shapes) | gains(shapes, norms), 1.0, _VECTOR)


def gains(shapes: list[tuple[int, ...]], norms: np.ndarray) -> np.ndarray:
    """Which tensors are vectors whose entries are of the size of one, as a norm's gain; shape (n_tensors,)."""
    size = np.array([float(np.prod(shape)) for shape in shapes])
    return ~matrices(shapes) & (np.median(norms, axis=0) / np.sqrt(size) > _GAIN)


def matrices(shapes: list[tuple[int, ...]]) -> np.ndarray:
    """Which tensors have two axes or more; shape (n_tensors,)."""
    return np.array([len(shape) > 1 for shape in shapes])


def jumps(projections: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """How far each tensor goes out and comes back, beside how far it goes around there.

    ``J_t(i) = min(d(i−1, i), d(i, i+1)) / max(d(i−1, i+1), d(i−2, i−1), d(i+1, i+2), |w| / 500)``, all of tensor t.
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
    step, two = moves(projections, 1), moves(projections, 2)
    around = np.maximum(two, _FLOOR * np.maximum(norms[:-2], norms[2:]))
    around[1:] = np.maximum(around[1:], step[: n - 3])
    around[:-1] = np.maximum(around[:-1], step[2:])
    found[1:-1] = ratio(np.minimum(step[:-1], step[1:]), around)
    return found


def norm_excursions(norms: np.ndarray) -> np.ndarray:
    """How far ln of each norm leaves the growth that is common to the tensors, and comes back.

    With g the change of ln of a norm less the median of all tensors' there: the smaller of |g| before and |g| after,
    where their signs differ, else 0. A tensor scaled by c has about |ln c|.

    Parameters
    ----------
    norms : ndarray, shape (n, n_tensors)

    Returns
    -------
    ndarray, shape (n, n_tensors)
        NaN at both ends and beside a norm of zero.
    """
    found = np.full(norms.shape, np.nan)
    before, after = _own_growth(norms)[:-1], _own_growth(norms)[1:]
    back = np.where(before * after < 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    found[1:-1] = np.where(np.isfinite(before * after), back, np.nan)
    return found


def first_jumps(projections: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """First move of each tensor over its second, divided by the median of that ratio over the tensors.

    Shape (n_tensors,); NaN with fewer than three checkpoints.
    """
    if len(projections) < 3:
        return np.full(norms.shape[1], np.nan)
    first, second = moves(projections[:3], 1)
    found = ratio(first, np.maximum(second, _FLOOR * norms[1]))
    usual = middle(found)
    return found / usual if usual > 0 else np.full(len(found), np.nan)


def end_falls(norms: np.ndarray) -> np.ndarray:
    """How far ln of each norm falls behind the common growth in the last move, beyond its change in the move before.

    Shape (n_tensors,); NaN with fewer than three checkpoints or beside a norm of zero.
    """
    if len(norms) < 3:
        return np.full(norms.shape[1], np.nan)
    before, last = _own_growth(norms[-3:])
    return -last - np.abs(before)


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
    beside, across = cosines(projections, 1), cosines(projections, 2)
    found[1:-1] = across - np.fmax(beside[:-1], beside[1:])
    return found


def moved_turns(projections: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Return `turns` of the part of each tensor that is across its first checkpoint; NaN below `_FAR` of its norm.

    Gains are all near one and grow together, in every run alike: only what they differ by is this run's own.
    """
    first = projections[0]
    length = np.broadcast_to(np.sum(first**2, axis=-1), norms.shape)
    along = ratio(np.sum(projections * first, axis=-1), length)
    moved = projections - np.nan_to_num(along)[:, :, None] * first
    enough = np.sqrt(np.sum(moved**2, axis=-1)) > _FAR * norms
    return turns(np.where(enough[:, :, None], moved, 0.0))


def end_turns(projections: np.ndarray) -> np.ndarray:
    """Cosine of the two checkpoints before the last, less that of the last two, of each tensor; shape (n_tensors,)."""
    if len(projections) < 3:
        return np.full(projections.shape[1], np.nan)
    before, last = cosines(projections[-3:], 1)
    return before - last


def tensor_excess(
    steps: list[int],
    projections: np.ndarray,
    norms: np.ndarray,
    shapes: list[tuple[int, ...]],
    limits: IntegrityLimits,
) -> np.ndarray:
    """Largest statistic of each tensor at each checkpoint, in units of its limit; shape (n, n_tensors).

    Norms are asked of matrices and gains, both ends of the run of matrices alone, and the last checkpoint only where
    the one before it is near. NaN where nothing is asked.
    """
    matrix = matrices(shapes)
    found = jumps(projections, norms) / (limits.max_tensor_jump * limit_factors(shapes, norms))
    found = np.fmax(found, turns(projections) / (limits.max_turn * np.where(matrix, 1.0, _VECTOR)))
    found = np.fmax(found, np.where(gains(shapes, norms), moved_turns(projections, norms) / limits.max_turn, np.nan))
    if len(steps) < 4 or not matrix.any():
        return found
    steady = matrix | gains(shapes, norms)
    found[:, steady] = np.fmax(found[:, steady], norm_excursions(norms[:, steady]) / limits.max_norm_jump)
    found[0, matrix] = first_jumps(projections[:, matrix], norms[:, matrix]) / (_END * limits.max_tensor_jump)
    if steps[-1] <= _NEAR * steps[-2]:
        turned = end_turns(projections[:, matrix]) / (_END * limits.max_turn)
        found[-1, matrix] = np.fmax(turned, end_falls(norms[:, matrix]) / (_END_NORM * limits.max_norm_jump))
    return found


def end_distance(steps: list[int], projections: np.ndarray) -> float | None:
    """Distance of the last checkpoint to the one before it, over its distance to the first: median over the tensors.

    Weights of another run are no nearer to the end of this one than to its start. None where it cannot be asked:
    fewer than three checkpoints, the one before the last earlier than a fifth of its step, the first later than an
    eighth.

    Parameters
    ----------
    steps : list of int, length n
    projections : ndarray, shape (n, n_tensors, n_projections)
    """
    if len(steps) < 3 or steps[-1] > _NEAR * steps[-2] or steps[-1] < 8 * steps[0]:
        return None
    found = middle(ratio(moves(projections[-2:], 1)[0], moves(projections[[0, -1]], 1)[0]))
    return found or None


def _own_growth(norms: np.ndarray) -> np.ndarray:
    """Change of ln of each norm from step to step, less the median over the tensors; shape (n − 1, n_tensors)."""
    growth = np.diff(_log(norms), axis=0)
    return growth - np.array([middle(row) for row in growth])[:, None]


def _log(norms: np.ndarray) -> np.ndarray:
    return np.log(norms, out=np.full(norms.shape, np.nan), where=norms > 0)
