"""Onsets of several quantities, looked at together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rare_neurons.numerics.multiplicity import control_multiplicity
from rare_neurons.numerics.onset.rule import Onset

_DATES = ("onset_after", "onset_by", "onset_low", "onset_high", "interval_kind")
_DATES += ("peak_step", "offset_after", "offset_by")


def control_onsets(onsets: Sequence[Onset], *, level: float, method: str = "holm") -> tuple[Onset, ...]:
    """Onsets of several quantities looked at together: withdraw those that do not survive the number of looks.

    Parameters
    ----------
    onsets : sequence of Onset
        All that were asked for; those that are not identifiable were no tests.
    level : float
    method : str
        As in `control_multiplicity`.

    Returns
    -------
    tuple of Onset
        In the given order, each with `p_adjusted`; a withdrawn one keeps its change and p-values, and has no dates.
    """
    adjusted = control_multiplicity([onset.p_value for onset in onsets], method)
    controlled = []
    for onset, p_value in zip(onsets, adjusted, strict=True):
        kept = onset if np.isnan(p_value) else replace(onset, p_adjusted=float(p_value))
        if kept.detected and p_value > level:
            reason = f"p {kept.p_value:.2g} becomes {p_value:.2g} for {np.isfinite(adjusted).sum()} quantities together"
            kept = replace(kept, detected=False, reason=reason, **dict.fromkeys(_DATES))
        controlled.append(kept)
    return tuple(controlled)
