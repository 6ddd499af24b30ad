"""The claims of runs whose effects are planted, from tables on disk."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.numerics.onset.rule import Onset
from rare_neurons.numerics.panel.folds import N_FOLDS, half_of_fold
from rare_neurons.stages.claims import write_claims
from rare_neurons.tables import read_table, table_schema

N, TARGETS = 120, 100
OPTIONS = {"compare": [["rare", "common"]], "level": 0.05, "confidence": 0.9, "n_resamples": 199, "seed": 0}
WITHIN = "within-stratum influence on rare beyond common tokens"


def nullable(table):
    """Columns of a table, of which these tests fill some."""
    return pa.schema([field.with_nullable(True) for field in table_schema(table)])


def write(root, table, model, step, rows):
    path = root / f"{table}/p/{model}/step{step}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=nullable(table)), path)
    return str(path)


def checkpoint(root, model, step, effect, rng):
    """Tables of a checkpoint with normal influences of the given size on rare tokens, and tiny ones on common."""
    place = {"panel": "p", "model": model, "step": step}
    influence, folds = [], []
    for stratum, size in (("common", 1e-3), ("rare", effect)):
        truth = size * rng.standard_normal(N)
        sums = TARGETS * truth + 0.01 * np.sqrt(TARGETS) * rng.standard_normal((N_FOLDS, N))
        mean = sums.sum(axis=0) / (N_FOLDS * TARGETS)
        influence += [
            {**place, "neuron": i, "stratum": stratum, "influence": x, "influence_se": 1e-4} for i, x in enumerate(mean)
        ]
        folds += [
            {
                **place,
                "stratum": stratum,
                "fold": fold,
                "half": "AB"[half],
                "n_targets": TARGETS,
                "influence_sum": sums[fold],
                "within_sum": sums[fold],
            }
            for fold, half in enumerate(half_of_fold(np.arange(N_FOLDS)))
        ]
    regimes = [
        {**place, "stratum": s, "sign": sign, "convention": "log_spacing", "null_p": 0.4}
        for s in ("common", "rare")
        for sign in ("all", "boost", "suppress")
    ]
    groups = [
        {**place, "stratum": s, "matrix": m, "top_eigenvalue": 1.5, "null_median": 1.5, "p_value": 0.5}
        for s in ("common", "rare")
        for m in ("W_in", "W_out_without_gradients")
    ]
    tables = {"influence": influence, "folds": folds, "regimes": regimes, "set_spectra": groups}
    return [write(root, name, model, step, rows) for name, rows in tables.items()]


@pytest.fixture
def judge(tmp_path):
    """Write the tables of runs given by their effects at step 0 and 8, and return the claims about `run`."""
    rng = np.random.default_rng(3)

    def judged(effects, controls, held=()):
        shards = [
            path
            for model, sizes in effects.items()
            for step, size in zip((0, 8), sizes, strict=True)
            for path in checkpoint(tmp_path, model, step, size, rng)
        ]
        for model in effects:
            rows = [{"step": step, "quarantined": (model, step) in held} for step in (0, 8)]
            (tmp_path / "integrity").mkdir(exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"integrity/{model}.parquet")
        about = {"subject": "run", "panel": "p", "quantity": "q", "table": "t", "column": "c", "stratum": "rare"}
        row = {**about, **asdict(Onset("ok", False, 2, 1, "rule"))}
        pq.write_table(
            pa.Table.from_pylist([row], schema=nullable("timelines/emergence")), tmp_path / "emergence.parquet"
        )
        inputs = {
            "shards": shards,
            "integrity": [str(tmp_path / f"integrity/{model}.parquet") for model in effects],
            "emergence": str(tmp_path / "emergence.parquet"),
            "timelines": [],
        }
        write_claims(
            str(tmp_path / "claims.parquet"),
            inputs,
            subject="run",
            models=[next(iter(effects))],
            controls=controls,
            panels=["p"],
            options=OPTIONS,
            quantities={},
        )
        rows = read_table(tmp_path / "claims.parquet").to_pylist()
        return {(row["quantity"], row["judged_at"]): row for row in rows}

    return judged


def test_a_planted_effect_beyond_both_controls_is_supported_and_step_0_is_not(judge):
    claims = judge({"run": (1e-3, 2e-2), "shuffled": (1e-3, 1e-3)}, ["shuffled"])
    last = claims[WITHIN, "last checkpoint"]
    assert last["verdict"] == "supported"
    assert last["estimate"] == pytest.approx(2e-2, rel=0.2)  # the sample sd of 120 neurons: relative error 0.065
    assert claims[WITHIN, "step 0"]["verdict"] == "not detected"
    assert claims["regimes of influence on rare tokens (all)", "last checkpoint"]["verdict"] == "not detected"
    assert last["sample_unit"] == "context and neuron"
    assert "not of training in general" in last["reason"]


def test_the_same_effect_in_the_control_is_no_claim(judge):
    claims = judge({"run": (1e-3, 2e-2), "shuffled": (1e-3, 2e-2)}, ["shuffled"])
    last = claims[WITHIN, "last checkpoint"]
    assert last["verdict"] == "not detected"
    assert "the shuffled run" in last["reason"]


def test_without_a_control_nothing_is_identifiable(judge):
    claims = judge({"run": (1e-3, 2e-2)}, [])
    assert {row["verdict"] for row in claims.values()} == {"not identifiable"}
    assert "the shuffled run" in claims[WITHIN, "last checkpoint"]["reason"]


def test_a_control_is_judged_without_itself(judge):
    claims = judge({"run": (1e-3, 1e-3)}, ["run"])
    assert {at for _, at in claims} == {"last checkpoint"}
    assert claims[WITHIN, "last checkpoint"]["verdict"] == "not detected"


def test_a_quarantined_checkpoint_is_not_the_last(judge):
    claims = judge({"run": (1e-3, 2e-2), "shuffled": (1e-3, 1e-3)}, ["shuffled"], held={("run", 8)})
    assert claims[WITHIN, "last checkpoint"]["verdict"] == "not detected"


def test_groups_of_one_run_say_nothing_about_training(judge):
    claims = judge({"run": (1e-3, 2e-2), "shuffled": (1e-3, 1e-3)}, ["shuffled"])
    found = claims["common directions of the top neurons on rare tokens (W_in)", "last checkpoint"]
    assert (found["verdict"], found["sample_unit"]) == ("not identifiable", "seed")
    assert "3 or more seeds" in found["reason"]
