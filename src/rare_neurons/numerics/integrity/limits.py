"""Limits of the rules of integrity."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IntegrityLimits:
    """What is still believed of a run's checkpoints; false-alarm rates: `benchmarks/calibration/integrity.py`.

    Parameters
    ----------
    max_detour, max_start_z, max_canary_z : float
        Largest values of the three statistics that are believed.
    min_borrowed : float
        Share of entries in equal tensors from which a checkpoint counts as partly another one's.
    max_unchanged : int
        Longest block of adjacent equal checkpoints that is believed.
    max_start_jump : float
        Largest believed ratio of the first distance to the second: above it the first checkpoint is another run's.
    min_chord : float
        Smallest believed distance from the straight line between the neighbours (`chord_offsets`).
    max_tensor_jump, max_turn, max_norm_jump : float
        Largest believed jump of a matrix out and back, shortfall of its cosines with both neighbours below theirs with
        each other, and excursion of ln of its norm from the common growth (`tensor_excess`).
    max_end_distance : float
        Largest believed distance of the last checkpoint to the one before it, over that to the first.
    """

    max_detour: float = 2.0
    max_start_z: float = 6.0
    max_canary_z: float = 6.0
    min_borrowed: float = 0.01
    max_unchanged: int = 3
    max_start_jump: float = 30.0
    min_chord: float = 0.02
    max_tensor_jump: float = 1.6
    max_turn: float = 0.3
    max_norm_jump: float = 0.35
    max_end_distance: float = 0.95


DEFAULT_LIMITS = IntegrityLimits()
