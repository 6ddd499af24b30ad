"""Every case of the corpus through the stages that open checkpoints, in a process of its own.

As a program: ``python -m tests.hostile.measure FOLDER``; one line of JSON for every case.
"""

import gc
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from rare_neurons.checkpoints.manifest import Manifest, read_manifest, write_manifest
from rare_neurons.checkpoints.sources import Source
from rare_neurons.errors import RequestError
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.stages.probe import OUTPUTS as PROBED
from rare_neurons.stages.probe import write_probe
from rare_neurons.stages.resolve import write_resolved
from rare_neurons.stages.spectra import OUTPUTS as OF_WEIGHTS
from rare_neurons.stages.spectra import write_spectra
from rare_neurons.tables import file_sha256, read_metadata
from tests.hostile.corpus import CASES
from tests.models.tiny import EXACT, random_model
from tests.stages.panels import STRATA, draw_panel, write_corpus, write_tokenizer

CHEAP = {"shuffles": 0, "farms_windows": 0, "refits": 0, "gof_refits": 0, "likelihood_ratios": False}
OPTIONS = {**asdict(EXACT), "placebo_draws": 0, "dtype": "float32", "tf32": False, "device": "cpu", "batch_size": 80}
LIMIT_S = 30


class Bench:
    """Sound checkpoints, a panel, and the three stages."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tokenizer = folder, write_tokenizer(folder)
        corpus = write_corpus(folder)
        panel = draw_panel(folder, corpus)
        self.inputs = {"contexts": panel["contexts"], "targets": panel["targets"], "unigram": corpus["unigram"]}
        self.cache = {"folder": str(folder / "cache"), "disk_gb": 1}
        for base in {case.base for case in CASES.values()}:
            random_model(base, dtype=torch.float32).save_pretrained(folder / base)
            shutil.copy(self.tokenizer, folder / base / "tokenizer.json")

    def run(self, name: str) -> dict[str, object]:
        """What each stage says of a case: resolve, then those that open weights, as if it had found nothing."""
        case, place = CASES[name], self.folder / "cases" / name
        shutil.copytree(self.folder / case.base, place / "run/step0")
        case.change(place / "run/step0")
        manifest = place / "manifest.json"
        about = {"model": "m", "step": 0, "source": Source("folder", str(place / "run/step{step}"))}

        def resolve() -> tuple[str, str | None]:
            write_resolved(str(manifest), **about, tokenizer=self.tokenizer, cache=self.cache)
            found = read_manifest(manifest)
            return found.status, found.reason

        def spectra() -> tuple[str, str | None]:
            tables = {table: [str(place / f"{table}.parquet")] for table in OF_WEIGHTS}
            write_spectra(
                tables, manifests=[str(manifest)], place=Workplace(self.cache), options=CHEAP, n_projections=4
            )
            return self.said(place, "fingerprint")

        def probe() -> tuple[str, str | None]:
            tables = {table: [str(place / f"{table}.parquet")] for table in PROBED}
            inputs = {**self.inputs, "tokenizer": self.tokenizer}
            request = {"panel": "p", "rules": STRATA, "options": OPTIONS, "place": Workplace(self.cache)}
            write_probe(tables, inputs, manifests=[str(manifest)], **request)
            return self.said(place, "influence")

        outcome = {"resolve": said(resolve)}
        write_manifest(Manifest("m", 0, "folder", str(place / "run/step0")), manifest)
        return outcome | {"spectra": said(spectra), "probe": said(probe)} | self.digests(place)

    @staticmethod
    def said(place: Path, table: str) -> tuple[str, str | None]:
        about = read_metadata(place / f"{table}.parquet")
        return about["status"], about["reason"] or about.get("tokenizer")

    @staticmethod
    def digests(place: Path) -> dict[str, object]:
        tables = (place / f"{table}.parquet" for table in ("eigenvalues", "fingerprint"))
        return {"digests": [file_sha256(path) for path in tables if path.exists()]}


def said(stage: Callable[[], tuple[str, str | None]]) -> tuple[str, str | None]:
    """Status and reason of a stage; a refusal is one, and everything else that is raised is a crash."""
    try:
        return stage()
    except RequestError as error:
        return "refused", str(error)
    except (Exception, MemoryError) as error:
        return "crashed", f"{type(error).__name__}: {error}"[:2000]


def watched(bench: Bench, name: str) -> dict[str, object]:
    """Run a case, and say what it took: seconds, and the most memory that this process had meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (man 5 proc)
    start = time.perf_counter()
    signal.alarm(LIMIT_S)
    found = bench.run(name)
    signal.alarm(0)
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return {"name": name, "seconds": time.perf_counter() - start, "memory": int(peak) * 1024, **found}


def too_long(*_: object) -> None:
    raise TimeoutError(f"more than {LIMIT_S} s")


def main(folder: Path) -> None:
    """Run all cases one after the other."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGALRM, too_long)
    os.fsync = lambda _: None  # what no crash has to survive need not reach the disk
    bench = Bench(folder)
    # What is imported once for all is no part of a case, and nobody's garbage.
    for name in ("nothing", "another-name"):
        bench.run(name)
        shutil.rmtree(folder / "cases" / name)
    gc.freeze()
    for name in CASES:
        print(json.dumps(watched(bench, name)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
