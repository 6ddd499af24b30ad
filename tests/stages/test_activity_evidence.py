"""Claims from shards: what was planted reaches its tier, and what is quarantined or empty enters nothing."""

import numpy as np
import pytest

from rare_neurons.catalogue import JUDGED_ACTIVITY
from rare_neurons.stages.activity_evidence import TABLE, write_activity_evidence
from rare_neurons.stages.summary_activity import activity_sentences
from rare_neurons.tables import read_table, table_entry
from tests.numerics.claims.made import CONTROLS, RUNS, STEPS, STRATA, tables
from tests.stages.tables import BAD, OK, put

RULE = {"persistence": 2, "fraction": 0.5, "level": 0.05, "confidence": 0.9}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    found = tables(np.random.default_rng(0), effect={"rare": 30.0})
    paths = []
    for name in JUDGED_ACTIVITY:
        for model, of in found[name].items():
            for step, rows in of.items():
                place = {"panel": "p", "model": model, "step": step}
                numbered = [{"neuron": k, **row} if name == "kinds" else row for k, row in enumerate(rows)]
                bad = (model, step) == ("y", 16)
                paths.append(put(folder, name, place, [] if bad else numbered, BAD if bad else OK))
    return paths


def judged(shards, folder, quarantined=(), step="last"):
    integrity = []
    for model in (*RUNS, *CONTROLS):
        rows = [{"step": s, "status": "ok", "quarantined": (model, s) in quarantined} for s in STEPS]
        integrity.append(put(folder, "integrity", {"model": model}, rows))
    output = folder / table_entry(TABLE).path.format(subject="s")
    write_activity_evidence(
        str(output),
        shards=shards,
        integrity=integrity,
        subject="s",
        models=RUNS,
        controls=CONTROLS,
        strata=STRATA,
        evidence={"rule": RULE, "step": step},
    )
    return read_table(output).to_pylist()


def test_a_planted_cluster_reaches_its_tier_and_the_summary(shards, tmp_path):
    assert activity_sentences(str(tmp_path), "s") == []
    rows = judged(shards, tmp_path)
    assert {(r["question"], r["stratum"], r["reached"]) for r in rows if r["reached"]} == {
        ("co-activation", "rare", "specific")
    }
    said = activity_sentences(str(tmp_path), "s")
    assert "goes beyond that of the controls, and is more than on the other stratum" in said[0]
    assert said[-1].startswith("Not reached is no absence")


def test_quarantined_checkpoints_enter_nothing(shards, tmp_path):
    rows = judged(shards, tmp_path, quarantined={("a", 1000)})
    over = next(r for r in rows if (r["tier"], r["declared"]) == ("seeds", 1))
    # All runs are compared where all of them are: one's bad checkpoint does not take the later tiers from the others.
    assert (over["status"], over["step"], over["n_runs"]) == ("tested", 128, 3)
    run = next(r for r in rows if (r["tier"], r["declared"], r["run"]) == ("run", 1, "a"))
    assert run["step"] == 128


def test_runs_are_compared_at_the_step_of_the_configuration(shards, tmp_path):
    rows = judged(shards, tmp_path, step=128)
    assert {r["step"] for r in rows if r["tier"] in ("seeds", "beyond_control", "specific")} == {128}
