"""What a configuration names and this machine must have: files, folders and devices, looked at before any job."""

import ctypes
import platform
from collections.abc import Iterable, Mapping
from glob import glob
from pathlib import Path

from rare_neurons.checkpoints.files import read_config
from rare_neurons.errors import DataFault, RequestError

_DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_ROCM = Path("/dev/kfd")  # AMD's driver, whose devices torch calls cuda too
_POSITIONS = ("max_position_embeddings", "n_positions")

Entries = Mapping[str, Mapping[str, object]]


def check_machine(config: Mapping[str, Entries], *, runs_here: bool, folders: Mapping[str, str] | None = None) -> None:
    """Refuse a configuration that names what is not there.

    Parameters
    ----------
    config : mapping
        Complete and checked.
    runs_here : bool
        Whether jobs run on this machine: the nodes of a cluster have devices of their own.
    folders : mapping, optional
        A checkpoint's folder for each local model, to see how long contexts may be.

    Raises
    ------
    RequestError
        With one line per problem.
    """
    problems = [*_missing_files(config), *_too_long_contexts(config, folders or {})]
    problems += _absent_devices(config["probe"]) if runs_here else []
    if problems:
        raise RequestError(
            "the configuration names what is not there:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )


def n_cuda_devices() -> int | None:
    """Count CUDA devices by asking the driver, without torch; None where only a job can tell (ROCm)."""
    if _ROCM.exists():
        return None
    for name in _DRIVERS:
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        found = ctypes.c_int(0)
        started = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(found)) == 0
        return found.value if started else 0
    return 0


def _missing_files(config: Mapping[str, Entries]) -> Iterable[str]:
    for name, tokenizer in config["tokenizers"].items():
        if tokenizer["source"] == "folder" and not (Path(tokenizer["path"]) / "tokenizer.json").is_file():
            place = f"tokenizers.{name}.path: {tokenizer['path']!r}"
            yield f"{place} is not allowed; a folder that holds a tokenizer.json is needed"
    for name, corpus in config["corpora"].items():
        for number, pattern in enumerate(corpus.get("paths", ())):
            if not any(Path(path).is_file() for path in glob(pattern, recursive=True)):
                place = f"corpora.{name}.paths.{number}: {pattern!r}"
                yield f"{place} is not allowed; it matches no file, relative paths begin at {Path.cwd().name}/"
        counts = corpus.get("unigram_counts")
        if counts is not None and not Path(counts).is_file():
            yield f"corpora.{name}.unigram_counts: {counts!r} is not allowed; an existing file is needed, or no key"


def _absent_devices(probe: Mapping[str, object]) -> list[str]:
    kind, _, number = str(probe["device"]).partition(":")
    if kind == "mps" and (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return ["probe.device: 'mps' is not allowed; this machine is no Apple silicon, cpu is always there"]
    asked = {"probe.device": (probe["device"], int(number or 0))} if kind == "cuda" else {}
    for key in probe.get("placement", {}).get("max_memory_gb", ()) if kind == "cuda" else ():
        if key != "cpu":
            asked[f"probe.placement.max_memory_gb.{key}"] = key, int(key)
    known = n_cuda_devices() if asked else None
    if known is None:
        return []
    there = f"this machine has {known} CUDA devices, counted from 0; cpu is always there"
    return [f"{place}: {value!r} is not allowed; {there}" for place, (value, n) in asked.items() if n >= known]


def _too_long_contexts(config: Mapping[str, Entries], folders: Mapping[str, str]) -> Iterable[str]:
    for model, folder in folders.items():
        limit = _positions(Path(folder))
        for name, panel in config["panels"].items() if limit else ():
            if panel["tokenizer"] == config["models"][model]["tokenizer"] and panel["context_length"] > limit:
                place = f"panels.{name}.context_length: {panel['context_length']}"
                yield f"{place} is not allowed; model {model} has {limit} positions"


def _positions(folder: Path) -> int | None:
    """Positions that a checkpoint's own configuration tells; None where it does not, which its job will say."""
    try:
        found = read_config(folder)
    except (DataFault, OSError):
        return None
    values = map(found.get, _POSITIONS)
    return next((value for value in values if isinstance(value, int) and value > 1), None)  # True is 1
