"""A step 0 that belongs to another run of the same recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rare_neurons.numerics.integrity.descent import judge_descent
from rare_neurons.numerics.integrity.judge import CheckpointVerdict


@dataclass(frozen=True, eq=False)
class Prints:
    """Fingerprints of all tensors of one checkpoint.

    Attributes
    ----------
    tensors, sha256 : tuple of str
        Name and digest of each tensor.
    projections : ndarray, shape (n_tensors, n_projections)
    """

    tensors: tuple[str, ...]
    sha256: tuple[str, ...]
    projections: np.ndarray


def judge_own_start(
    verdicts: Sequence[CheckpointVerdict], prints: Sequence[Prints], other_starts: Sequence[Prints]
) -> CheckpointVerdict | None:
    """Quarantine step 0 if the first step that differs from it is nearer to the start of another run.

    Parameters
    ----------
    verdicts, prints : sequences of the same length
        Of the checkpoints that were judged, in the order of training.
    other_starts : sequence of Prints
        Step 0 of the other runs; those with other tensors are left out.

    Returns
    -------
    CheckpointVerdict or None
        The new verdict of step 0; None where the old one stands or nothing can be said.
    """
    start, own = verdicts[0], prints[0]
    later = (i for i, v in enumerate(verdicts) if not v.quarantined and prints[i].sha256 != own.sha256)
    early = next(later, None)
    like = [other.projections for other in other_starts if other.tensors == own.tensors]
    if start.step != 0 or start.quarantined or early is None or not like:
        return None
    found = judge_descent(prints[early].projections, own_start=own.projections, other_starts=np.stack(like))
    if found.descends is not False:
        return None
    reason = (
        f"step {verdicts[early].step} has cosine {found.own:.3f} with this start and {found.best_other:.3f} with that "
        "of another run of the subject"
    )
    return replace(start, status="foreign_start", reason=reason, quarantined=True)
