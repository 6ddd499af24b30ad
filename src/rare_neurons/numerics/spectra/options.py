"""What is computed of a spectrum, and how often."""

from dataclasses import dataclass
from typing import Literal, get_args

Engine = Literal["exact", "weightwatcher"]


@dataclass(frozen=True)
class SpectrumOptions:
    """Options of `measure_spectrum`.

    Parameters
    ----------
    engine : {"exact", "weightwatcher"}
        Who fits ``alpha``: this package, or weightwatcher's own code on the same eigenvalues.
    min_tail : int
        Smallest tail of the fit; weightwatcher has no such option and takes 2.
    shuffles, farms_windows, refits, gof_refits : int
        How many shuffled matrices, FARMS windows, bootstrap refits of the band, synthetic samples of the goodness of
        fit. 0 means not computed: the columns are ``None``.
    likelihood_ratios : bool
        Whether the tail is compared with the four alternatives.
    seed : int
        Seed of every random draw; equal calls give equal rows.

    Raises
    ------
    ValueError
        If a count is negative or the engine unknown.
    """

    engine: Engine = "exact"
    min_tail: int = 2
    shuffles: int = 3
    farms_windows: int = 4
    refits: int = 100
    gof_refits: int = 0
    likelihood_ratios: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what nobody can compute."""
        for name in ("shuffles", "farms_windows", "refits", "gof_refits"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}, but a count is 0 (not computed) or more")
        if self.engine not in get_args(Engine):
            raise ValueError(f"unknown engine {self.engine!r}; known: {', '.join(get_args(Engine))}")


DEFAULT_OPTIONS = SpectrumOptions()
