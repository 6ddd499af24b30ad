"""Checkpoints whose tensors are not those that most others of the run have."""

from collections import Counter
from collections.abc import Sequence

Tensors = tuple[tuple[str, tuple[int, ...]], ...]
"""Name and shape of each tensor of a checkpoint."""


def unlike_the_others(checkpoints: Sequence[Tensors | None]) -> dict[int, str]:
    """Reason by index of each checkpoint that has other tensors than most; of equally many sets the first counts.

    Parameters
    ----------
    checkpoints : sequence of Tensors or None
        None where a checkpoint could not be read; it takes no part.

    Examples
    --------
    >>> usual, odd = (("a", (2,)),), (("a", (3,)),)
    >>> unlike_the_others([usual, odd, None, usual])
    {1: "1 tensors differ in name or shape from the other steps', first 'a'"}
    """
    known = Counter(tensors for tensors in checkpoints if tensors is not None)
    if not known:
        return {}
    usual = known.most_common(1)[0][0]
    return {
        index: _difference(found, usual)
        for index, found in enumerate(checkpoints)
        if found is not None and found != usual
    }


def _difference(found: Tensors, usual: Tensors) -> str:
    odd = sorted({name for name, _ in set(found) ^ set(usual)})
    return f"{len(odd)} tensors differ in name or shape from the other steps', first {odd[0]!r}"
