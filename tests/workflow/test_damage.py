"""Flipped bits in every kind of file: never read as another value; named, set aside and made again by the next run."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.errors import DamagedFile
from rare_neurons.results import load_shards, load_timeline
from rare_neurons.sums import check_sum
from rare_neurons.tables import read_metadata, read_table
from tests.workflow.project import NO_FIGURES

pytestmark = pytest.mark.pipeline


@dataclass(frozen=True)
class Kind:
    """One kind of file and how jobs and users read it."""

    path: str
    read: Callable[[Path], object]


def table(path):
    found = read_table(path)
    return found.schema, found.to_pylist(), read_metadata(path)


def summed(path):
    check_sum(path)
    return path.read_bytes()


KINDS = [
    Kind("text/texts.parquet", table),
    Kind("corpus/texts/bpe/unigram.parquet", table),
    Kind("panel/heldout/targets.parquet", table),
    Kind("null_tables/64.parquet", table),
    Kind("influence/heldout/tiny-seed0/step2.parquet", table),
    Kind(
        "cells/heldout/tiny-seed0/step2.parquet",
        lambda path: load_shards(path.parents[3], "cells", format="arrow").to_pylist(),
    ),
    Kind(
        "timelines/spectra/tiny-seed0.parquet",
        lambda path: load_timeline(path.parents[2], "spectra", format="arrow").to_pylist(),
    ),
    Kind("manifest/tiny-seed0/step2.json", read_manifest),
    Kind("tokenizer/bpe/tokenizer.json", summed),
    Kind("pretrain/tiny-seed0/recipe.json", summed),
]
FLIPS = 50


def reading(kind: Kind, path: Path) -> object:
    """What is read, or which file is named as damaged."""
    try:
        return kind.read(path)
    except DamagedFile as error:
        return f"{error.path} is damaged"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.path.split("/")[0])
def test_no_flipped_bit_is_read_as_another_value(finished, tmp_path, kind):
    source = finished.folder / "results" / kind.path
    path = tmp_path / "results" / kind.path
    shutil.copytree(source.parent, path.parent)
    for other in path.parent.glob("*.parquet"):
        if other != path:
            other.unlink()
    whole, truth = path.read_bytes(), kind.read(path)
    rng = np.random.default_rng(0)
    for bit in rng.choice(8 * len(whole), FLIPS, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert reading(kind, path) in (f"{path} is damaged", truth), f"bit {bit} was read as another value"
        if path.suffix == ".parquet":
            assert reading(kind, path) != truth, f"bit {bit} is not seen"


def flip(path: Path) -> None:
    """Flip a bit as a disk does: the file's time stays."""
    time = path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(time, time))


DAMAGED = [
    {"null_tables/64.parquet": "regimes/heldout/tiny-seed0/step0.parquet"},
    {"manifest/tiny-seed0/step4.json": "spectra/tiny-seed0/step4.parquet"},
]
"""Files that are damaged before each run, and for each a lost table of a job that reads it."""


def test_damage_is_named_and_repaired_by_the_next_run(project, finished):
    results = project.folder / "results"
    for files in DAMAGED:
        for damaged, lost in files.items():
            flip(results / damaged)
            (results / lost).unlink()
        told = project.run("--keep-going", *NO_FIGURES, expect=1).stdout
        for damaged in files:
            name = f"results/{damaged}"
            assert f"{name} is damaged: " in told
            assert f"It is now {name}.damaged; the next run makes it again" in told
            assert not (results / damaged).exists()
    project.run("--keep-going", *NO_FIGURES)
    assert project.tables() == finished.tables()
    manifest = "results/manifest/tiny-seed0/step4.json"
    assert (project.folder / manifest).read_bytes() == (finished.folder / manifest).read_bytes()


@pytest.mark.parametrize(
    "lost",
    [
        {"null_tables": "null_tables/64.parquet", "evidence": "timelines/courses/tiny.parquet"},
        {"resolve": "manifest/tiny-seed0/step2.json", "alpha": "timelines/alpha_events/tiny-seed0.parquet"},
        {"text": "text/texts.parquet"},
    ],
)
def test_whatever_is_set_aside_behind_finished_results_is_asked_for_again(project, lost):
    for name in lost.values():
        path = project.folder / "results" / name
        path.replace(f"{path}.damaged")
    assert set(lost) <= set(project.rules_run("--dry-run"))


def test_a_users_session_renames_nothing(project):
    shard = project.folder / "results/influence/heldout/tiny-seed0/step2.parquet"
    flip(shard)
    with pytest.raises(DamagedFile, match="step2"):
        load_shards(project.folder / "results", "influence")
    assert shard.is_file()
