"""The highest tier that a question reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TIERS = ("run", "seeds", "beyond_control", "specific")
"""In order: a tier counts only if those before it hold."""


@dataclass(frozen=True, slots=True)
class ReachedTier:
    """Answer to one question.

    Attributes
    ----------
    tier : str or None
        Highest of `TIERS` reached with all before it; ``None`` if not even the first.
    p_value : float or None
        Adjusted p-value of that tier, or of the first where none is reached.
    reason : str
        Why the next tier is not reached; empty after the last asked.
    """

    tier: str | None
    p_value: float | None
    reason: str


def reach_tier(
    p_values: Mapping[str, float | None], *, reasons: Mapping[str, str] | None = None, level: float = 0.05
) -> ReachedTier:
    """Climb the tiers while each one's adjusted p-value is at most the level.

    Parameters
    ----------
    p_values : mapping from tier to float or None
        Adjusted (`multiplicity.adjust_questions`); a tier that is left out is not asked of this question, one that is
        ``None`` could not be tested and stops the climb.
    reasons : mapping from tier to str, optional
        Why a tier could not be tested.
    level : float

    Returns
    -------
    ReachedTier

    Raises
    ------
    ValueError
        If a tier is unknown or none is given.

    Examples
    --------
    >>> reach_tier({"run": 0.001, "seeds": 0.2}).tier
    'run'
    """
    unknown = set(p_values) - set(TIERS)
    if unknown or not p_values:
        raise ValueError(f"tiers {sorted(unknown) or 'none'}; known: {', '.join(TIERS)}")
    asked = [tier for tier in TIERS if tier in p_values]
    tier, p_value = None, p_values[asked[0]]
    for following in asked:
        p = p_values[following]
        if p is None or p > level:
            stated = (reasons or {}).get(following, "")
            why = stated if p is None else f"{following}: p = {p:.2g} above {level:g}"
            return ReachedTier(tier, p_value, why or f"{following}: not tested")
        tier, p_value = following, p
    return ReachedTier(tier, p_value, "")
