"""A run has to descend from its own step 0, not from that of another run of its group."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from rare_neurons.checkpoints.manifest import Manifest, write_manifest
from rare_neurons.numerics.influence.rows import PER_TARGET
from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.stages.integrity import write_integrity
from rare_neurons.tables import from_rows, read_table, write_rows

STEPS = (0, 1, 2, 4, 8)
SHAPES = {"a": (40, 50), "b": (300,)}
THRESHOLDS = {
    "max_detour": 2,
    "max_start_z": 6,
    "max_canary_z": 6,
    "min_borrowed": 0.01,
    "max_unchanged": 3,
    "max_start_jump": 30,
    "min_chord": 0.02,
    "max_tensor_jump": 1.6,
    "max_turn": 0.3,
    "max_norm_jump": 0.35,
    "max_end_distance": 0.95,
}
OK = {"status": "ok", "reason": None}


def weights(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}


def walk(start, seed, drift_per_step=0.02):
    """Checkpoints of a run: the start, and then a drift that grows with the steps."""
    rng = np.random.default_rng(seed)
    drift = {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}
    return [{name: start[name] + drift_per_step * step * drift[name] for name in SHAPES} for step in STEPS]


def write_print(path, step, tensors):
    rows = []
    for name, array in sorted(tensors.items()):
        found = fingerprint_tensor(name, array)
        values = {"shape": found.shape, "norm": found.norm, "n_nonfinite": found.n_nonfinite, "sha256": found.sha256}
        rows.append({"tensor": name, "projection": found.projection, **values})
    write_rows("fingerprint", from_rows("fingerprint", rows, {"model": "run", "step": step}), path, OK)
    return str(path)


@pytest.fixture
def judge(tmp_path):
    def judged(checkpoints, other_starts, panel=()):
        paths = {"manifests": [], "fingerprints": [], "behaviours": []}
        for step, tensors in zip(STEPS, checkpoints, strict=True):
            manifest = tmp_path / f"manifest{step}.json"
            write_manifest(Manifest("run", step, "folder", f"run/step{step}"), manifest)
            behaviour = {
                "panel": "p",
                "model": "run",
                "step": step,
                "stratum": "rare",
                "fold": 0,
                "n_targets": 9,
                "type_bin": 0,
            }
            behaviour |= dict.fromkeys(PER_TARGET, 9.0 - 0.1 * step)
            write_rows("behaviour", from_rows("behaviour", [behaviour]), tmp_path / f"b{step}.parquet", OK)
            paths["manifests"].append(str(manifest))
            paths["fingerprints"].append(write_print(tmp_path / f"f{step}.parquet", step, tensors))
            paths["behaviours"].append(str(tmp_path / f"b{step}.parquet"))
        others = [write_print(tmp_path / f"o{i}.parquet", 0, tensors) for i, tensors in enumerate(other_starts)]
        output = tmp_path / "integrity.parquet"
        about = {"panel": panel, "model": "run", "thresholds": THRESHOLDS}
        write_integrity(str(output), **paths, other_starts=others, **about)
        assert pq.read_metadata(output).num_rows == len(STEPS)
        return {row["step"]: row for row in read_table(output).to_pylist()}

    return judged


def test_a_run_that_descends_from_its_own_start_is_left_alone(judge):
    verdicts = judge(walk(weights(0), 1), [weights(5), weights(6)])
    assert [verdicts[step]["status"] for step in STEPS] == ["ok"] * len(STEPS)


def test_a_start_that_belongs_to_another_run_is_quarantined(judge):
    """Steps move so much that the jump from the wrong start alone (24 times the next, limit 30) shows nothing."""
    own, other = weights(0), weights(5)
    verdicts = judge([own, *walk(other, 1, drift_per_step=0.06)[1:]], [weights(6), other])
    assert verdicts[0]["status"] == "foreign_start"
    assert verdicts[0]["quarantined"]
    assert "another run of the subject" in verdicts[0]["reason"]
    assert [verdicts[step]["status"] for step in STEPS[1:]] == ["ok"] * (len(STEPS) - 1)


def test_runs_that_share_a_start_are_not_told_apart(judge):
    start = weights(0)
    verdicts = judge(walk(start, 1), [start])
    assert verdicts[0]["status"] == "ok"


def text_tables(folder, probability):
    """Targets of one token, and how probable it is."""
    target = {"context": 0, "position": 1, "input_id": 0, "target_id": 1, "document": 0, "type_bin": 0}
    known = {"token": "b", "count": 5, "rank": 1, "seen": True}
    rows = [{"token_id": i, "probability": p, **known} for i, p in enumerate((1 - probability, probability))]
    paths = [str(folder / "targets.parquet"), str(folder / "unigram.parquet")]
    write_rows("panel/targets", from_rows("panel/targets", [{**target, "stratum": "rare"}]), paths[0], OK)
    write_rows("corpus/unigram", from_rows("corpus/unigram", rows), paths[1], OK)
    return paths


@pytest.mark.parametrize(("unigram_loss", "status"), [(7.0, "above_unigram"), (9.0, "ok")])
def test_a_last_loss_above_that_of_token_frequencies_is_said(judge, tmp_path, unigram_loss, status):
    """The last step's loss is 9.0 - 0.1 * 8 nats."""
    verdicts = judge(walk(weights(0), 1), [], text_tables(tmp_path, np.exp(-unigram_loss)))
    assert verdicts[8]["status"] == status
    assert not verdicts[8]["quarantined"]
    assert all(verdicts[step]["status"] == "ok" for step in STEPS[:-1])
    if status != "ok":
        assert verdicts[8]["reason"].startswith(
            "loss 8.20 nats at the last step, but token frequencies alone reach 7.00"
        )
