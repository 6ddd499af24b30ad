"""Why a tier that was tested does not count: what the question pays for others, or a tier before it."""

from __future__ import annotations

from collections.abc import Mapping

from .tiers import TIERS, ReachedTier


def why_not_reached(
    tier: str,
    reached: ReachedTier,
    *,
    p_values: Mapping[str, float | None],
    p_adjusted: Mapping[str, float | None],
    level: float,
) -> str:
    """Say why a tier does not count, with p of the question alone and as it counts.

    Parameters
    ----------
    tier : str
    reached : ReachedTier
        How far the question has climbed.
    p_values, p_adjusted : mapping from tier to float or None
        Of every tier asked: of the question alone, and after paying for the other questions.
    level : float

    Returns
    -------
    str
        Empty where the tier counts.

    Examples
    --------
    >>> from rare_neurons.numerics.evidence.tiers import reach_tier
    >>> alone, paid = {"run": 0.001, "seeds": 0.002}, {"run": 0.005, "seeds": 0.063}
    >>> why_not_reached("seeds", reach_tier(paid), p_values=alone, p_adjusted=paid, level=0.05)
    'seeds: p = 0.063 above 0.05; it is 0.002 of this question alone, before it pays for the others'
    """
    asked = [name for name in TIERS if name in p_adjusted]
    height = asked.index(reached.tier) + 1 if reached.tier else 0
    if asked.index(tier) < height or height == len(asked):
        return ""
    stop = asked[height]
    alone, paid = p_values.get(stop), p_adjusted[stop]
    why = reached.reason
    if alone is not None and paid is not None and alone <= level < paid:
        why += f"; it is {alone:.2g} of this question alone, before it pays for the others"
    return why if tier == stop else f"{tier}: does not count, since {stop} is not reached ({why})"
