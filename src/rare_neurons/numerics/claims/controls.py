"""What a claim is held against: a null, and the same statistic where the claim cannot hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from rare_neurons.numerics.claims.evidence import Evidence

_CONTROLS = ("step 0", "the shuffled run")


@dataclass(frozen=True)
class Null:
    """What would draw the statistic without the claim, and how often it does.

    Parameters
    ----------
    name : str
    p : float | None
    adjusted_p : float | None
        From `control_multiplicity` over all claims judged together.
    minimal_effect : float | None
        Smallest estimate that the test would have called, where known.
    """

    name: str
    p: float | None
    adjusted_p: float | None
    minimal_effect: float | None = None


@dataclass(frozen=True)
class Controls:
    """The same statistic, computed in the same way, where the claim cannot hold.

    Parameters
    ----------
    step0, shuffled : Evidence | None
        At step 0, and in the run trained on unigram-shuffled text.
    own : {"step 0", "the shuffled run"} | None
        The control that the data themselves are: they are judged by the null and the other control alone.

    Raises
    ------
    ValueError
        If `own` is unknown.
    """

    step0: Evidence | None
    shuffled: Evidence | None
    own: str | None = None

    def __post_init__(self) -> None:
        """Refuse a control that there is none of."""
        check_known("own control", self.own, (None, *_CONTROLS))

    def others(self) -> dict[str, Evidence | None]:
        """Return by name the controls that the data themselves are not."""
        every = dict(zip(_CONTROLS, (self.step0, self.shuffled), strict=True))
        return {name: control for name, control in every.items() if name != self.own}


def check_known(name: str, value: str | None, known: Sequence[str | None]) -> None:
    """Refuse a value that is not among those known, by its name."""
    if value not in known:
        raise ValueError(f"claim: unknown {name} '{value}'; known: {', '.join(map(str, known))}")
