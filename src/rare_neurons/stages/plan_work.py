"""About how long a run will compute and what it will keep: products of matrices at this core's speed, and overheads.

Constants are core-seconds of the demo (AMD EPYC, one thread, benchmarks/README.md); a model's products are counted.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from rare_neurons.stages.plan_shape import Shape

_SIZE = 768
_START, _START_LIGHT = 4.0, 0.7  # a process with torch and transformers; one without
# Of float32 products: measured rates of one core (docs/scale.md).
_FLOAT64, _FORWARD, _EIGENVALUES, _SETS = 0.53, 0.93, 0.24, 0.18
_BFLOAT16 = 2.0  # ASSUME: between a core with such products (4) and one without (0.5 to 1)
_ENGINE_OVER_PRODUCTS = 1.5
_PER_TARGET = 2.1e-4
_PER_TOKEN_AND_LAYER = 5e-6
_PER_PLACEBO = 0.105
_PER_STEP, _STEP_OVER_PRODUCTS = 0.01, 1.1
_PER_ENTRY, _PER_EIGENVALUE = 5.2e-8, 4e-5
_SPECTRA, _METRICS, _LAYERS, _INTERVAL, _ACTIVITY = 0.3, 0.7, 3.0, 4.0, 10.0
_FORWARDS_OF_LAYERS, _FORWARDS_OF_INTERVAL = 20, 70
_OF_MODEL, _OF_JOINED_CHECKPOINT, _OF_SUBJECT, _OF_RUN, _OF_JOB = 1.5, 0.2, 20.0, 15.0, 0.15
# Kept: of a neuron and stratum a row of `influence` and its sums in each cell; of a checkpoint all else.
_BYTES_PER_ROW, _BYTES_PER_PANEL, _BYTES_PER_CHECKPOINT = 1_250, 130e3, 50e3
_BYTES_OF_RUN = 15e6


@dataclass(frozen=True)
class PanelLoad:
    """What a panel gives a network to do, and how many strata are told apart."""

    n_tokens: int
    n_targets: int
    n_strata: int
    context_length: int


@dataclass(frozen=True)
class Options:
    """Parts of a configuration that decide what a checkpoint costs."""

    placebo_draws: int = 0
    shuffles: int = 0
    farms_windows: int = 0
    n_permutations: int = 0
    share: float = 0.0


@dataclass(frozen=True)
class ModelWork:
    """A model and what is to be measured of it.

    Attributes
    ----------
    shape : Shape
    n_checkpoints, in_a_job : int
        Checkpoints, and how many of them one process measures.
    panels : tuple of PanelLoad
    trained_tokens, n_updates : int
        Where it is trained here.
    layers, intervals : tuple of PanelLoad
        Contexts of each checkpoint at which all layers are measured, of each interval whose loss change is divided.
    n_activity : int
        Checkpoints whose activations are looked at.
    audited : int
        Neurons of each layer that are ablated one by one.
    """

    shape: Shape
    n_checkpoints: int
    in_a_job: int
    panels: tuple[PanelLoad, ...] = ()
    trained_tokens: int = 0
    n_updates: int = 0
    layers: tuple[PanelLoad, ...] = ()
    intervals: tuple[PanelLoad, ...] = ()
    n_activity: int = 0
    audited: int = 0
    options: Options = field(default_factory=Options)


def seconds_of_model(work: ModelWork, speed: float) -> dict[str, float]:
    """Core-seconds of a model by stage.

    Parameters
    ----------
    work : ModelWork
    speed : float
        Float32 operations per second of one core.
    """
    shape, n = work.shape, work.n_checkpoints
    jobs = -(-n // max(work.in_a_job, 1))
    found = {
        "pretrain": _training(work, speed),
        "probe": sum(jobs * _START + n * probe_seconds(shape, load, work.options, speed) for load in work.panels),
        "spectra": jobs * _START_LIGHT + n * _spectra(shape, work.options, speed),
        "metrics": sum(jobs * _START_LIGHT + n * _metrics(shape, load, work.options, speed) for load in work.panels),
        "layers": sum(_LAYERS + _of_layers(shape, load, work.audited, speed) for load in work.layers),
        "allocation": sum(_INTERVAL + _forward(shape, load, speed) * _FORWARDS_OF_INTERVAL for load in work.intervals),
        "activity": _ACTIVITY * work.n_activity,
        "timelines": _OF_MODEL + _OF_JOINED_CHECKPOINT * n + _OF_JOB * (4 * jobs + 4),
    }
    return {stage: seconds for stage, seconds in found.items() if seconds}


def seconds_of_run(n_subjects: int) -> dict[str, float]:
    """Core-seconds of what is done once, and once for every subject."""
    return {"text and panels": _OF_RUN, "evidence and figures": _OF_SUBJECT * n_subjects}


def probe_seconds(shape: Shape, load: PanelLoad, options: Options, speed: float) -> float:
    """Core-seconds of one checkpoint on one panel, without the start of a process."""
    v, d, n = shape.n_vocab, shape.width, shape.n_neurons
    products = (2 * v * d + 14 * d * n) / _FLOAT64 + 2 * v * d + 2 * v * n / _BFLOAT16
    engine = load.n_targets * (_ENGINE_OVER_PRODUCTS * products / speed + _PER_TARGET)
    forward = _forward(shape, load, speed) + load.n_tokens * shape.n_layers * _PER_TOKEN_AND_LAYER
    return forward + (1 + _PER_PLACEBO * options.placebo_draws) * engine


def bytes_of_model(work: ModelWork) -> float:
    """Bytes that a model adds to the results, its checkpoints included where they are trained here."""
    shards = sum(work.shape.n_neurons * load.n_strata * _BYTES_PER_ROW + _BYTES_PER_PANEL for load in work.panels)
    weights = 4 * work.shape.n_parameters if work.trained_tokens else 0
    return work.n_checkpoints * (_BYTES_PER_CHECKPOINT + shards + weights)


def bytes_of_run() -> float:
    """Bytes of text, tokens, timelines and figures, where the text is small."""
    return _BYTES_OF_RUN


def _forward(shape: Shape, load: PanelLoad, speed: float) -> float:
    """Blocks alone: the unembedding is applied at the targets."""
    attention = 4 * load.context_length * shape.width * shape.n_layers
    return load.n_tokens * (2 * shape.of_blocks + attention) / (_FORWARD * speed)


def _training(work: ModelWork, speed: float) -> float:
    if not work.trained_tokens:
        return 0.0
    products = 6 * work.shape.n_parameters * work.trained_tokens / (_FORWARD * speed)
    return _START + _STEP_OVER_PRODUCTS * products + _PER_STEP * work.n_updates


def _spectra(shape: Shape, options: Options, speed: float) -> float:
    total = _SPECTRA + (1 + options.shuffles) * shape.n_parameters * _PER_ENTRY
    for long, short in shape.matrices:
        whole = 2 * long * short**2 / _FLOAT64 + 4 / 3 * short**3 / _EIGENVALUES
        window = (short / 2) ** 3 * (2 / _FLOAT64 + 4 / 3 / _EIGENVALUES)
        total += ((1 + options.shuffles) * whole + options.farms_windows * window) / speed + short * _PER_EIGENVALUE
    return total


def _metrics(shape: Shape, load: PanelLoad, options: Options, speed: float) -> float:
    """Fits take the same time for all; the spectra of random sets grow with the model."""
    size = options.share * shape.n_neurons
    of_set = 2 * size**2 * shape.width + 4 / 3 * size**3
    return _METRICS + 3 * load.n_strata * options.n_permutations * of_set / (_SETS * speed)


def _of_layers(shape: Shape, load: PanelLoad, audited: int, speed: float) -> float:
    """Estimates take some twenty forward passes, an ablated neuron on average two thirds of one."""
    head = 2 * shape.n_vocab * shape.width * load.n_tokens / (_FORWARD * speed)
    passes = _FORWARDS_OF_LAYERS + 2 / 3 * shape.n_layers * audited
    return passes * (_forward(shape, load, speed) + head)


def core_speed() -> float:
    """Float32 operations per second of one core: the best of a few products, in its own time."""
    a = np.ones((_SIZE, _SIZE), dtype=np.float32)
    best = np.inf
    with threadpool_limits(1):
        for _ in range(4):
            start = time.thread_time()
            a @ a
            best = min(best, time.thread_time() - start)
    return 2 * _SIZE**3 / best
