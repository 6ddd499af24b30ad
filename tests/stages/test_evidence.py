"""Stage `evidence`: shards of runs and controls in, tiers, dates, turns and courses out."""

import numpy as np
import pytest

from rare_neurons.stages.evidence import NAMES, write_evidence
from rare_neurons.tables import read_table
from tests.stages.tables import put_behaviour_on_grid, put_integrity, put_moments

STEPS = (0, 1, 2, 4, 8)
OPTIONS = {
    "rule": {"persistence": 2, "fraction": 0.5, "level": 0.05, "confidence": 0.9},
    "n_draws": 999,
    "step": "last",
    "seed": 0,
    "questions": {
        "loss": {"table": "behaviour", "column": "loss", "stratum": "rare", "direction": "either", "primary": True},
        "influence": {
            "table": "moments",
            "column": "mean_influence_within",
            "stratum": "rare",
            "direction": "either",
            "primary": True,
            "against": "common",
        },
    },
}


def write_run(root, model, *, falls, rng):
    """A run whose loss falls, and whose influence on rare tokens rises, from step 2 on; or one of noise alone."""
    shards = []
    for step in STEPS:
        place, late = {"panel": "p", "model": model, "step": step}, falls and step >= 2
        noise = 0.05 * rng.standard_normal((2, 12, 12))
        loss = {"rare": (3.0 if late else 5.0) + noise[0], "common": 4.0 + noise[1]}
        shards.append(put_behaviour_on_grid(root, place, loss))
        drawn = {
            stratum: [size + 0.05 * rng.standard_normal((10, 12, 12)) for size in (effect, 0.0, 0.0)]
            for stratum, effect in (("rare", 1.0 * late), ("common", 0.0))
        }
        shards.append(put_moments(root, place, drawn))
    return shards


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(5)
    runs, controls = [f"run{k}" for k in range(3)], ["control0", "control1"]
    shards = [p for m in (*runs, *controls) for p in write_run(root, m, falls=m in runs, rng=rng)]
    # One bad checkpoint in the middle of one run.
    statuses = {m: {s: "duplicate" if (m, s) == ("run0", 4) else "ok" for s in STEPS} for m in (*runs, *controls)}
    integrity = [put_integrity(root, model, found) for model, found in statuses.items()]
    outputs = {name: str(root / f"timelines/{name}/subject.parquet") for name in NAMES}
    write_evidence(
        outputs,
        shards=shards,
        integrity=integrity,
        subject="subject",
        models=runs,
        controls=controls,
        panels=["p"],
        options=OPTIONS,
    )
    return {name: read_table(path).to_pylist() for name, path in outputs.items()}


def test_what_was_planted_reaches_its_tier(written):
    reached = {row["question"]: row["reached"] for row in written["evidence"]}
    assert reached == {"loss": "beyond_control", "influence": "specific"}


def test_specific_says_in_which_form_it_was_asked(written):
    (row,) = [row for row in written["evidence"] if row["tier"] == "specific"]
    assert row["holds"]
    assert "controls are resolved" in row["reason"] or "runs are not resolved" in row["reason"]
    assert (row["n_runs"], row["n_controls"], row["step"]) == (3, 2, 8)


def test_runs_are_dated_where_it_was_planted_and_controls_are_not(written):
    dated = {row["run"]: row for row in written["onsets"] if row["question"] == "loss"}
    for run in ("run1", "run2"):
        assert (dated[run]["crossed_after"], dated[run]["crossed_by"], dated[run]["sign"]) == (1, 2, -1)
    assert dated["subject"]["by"] >= 2
    assert {dated[c]["by"] for c in ("control0", "control1")} == {None}


def test_a_quarantined_checkpoint_enters_nothing(written):
    steps = {row["run"]: set() for row in written["courses"]}
    for row in written["courses"]:
        steps[row["run"]].add(row["step"])
    assert steps["run0"] == {0, 1, 2, 8}
    assert steps["run1"] == set(STEPS)
    assert all(4 not in (row["start"], row["end"]) for row in written["turns"] if row["run"] == "run0")


def test_a_stratum_that_a_panel_lacks_is_left_out(tmp_path):
    rng = np.random.default_rng(5)
    shards = write_run(tmp_path, "run0", falls=True, rng=rng)
    questions = {"loss elsewhere": {**OPTIONS["questions"]["loss"], "stratum": "elsewhere"}, **OPTIONS["questions"]}
    outputs = {name: str(tmp_path / f"{name}.parquet") for name in NAMES}
    write_evidence(
        outputs,
        shards=shards,
        integrity=[put_integrity(tmp_path, "run0", dict.fromkeys(STEPS, "ok"))],
        subject="run0",
        models=["run0"],
        controls=[],
        panels=["p"],
        options=OPTIONS | {"questions": questions},
    )
    rows = read_table(outputs["evidence"]).to_pylist()
    assert {row["question"] for row in rows} == {"loss", "influence"}
    assert {row["reached"] for row in rows} == {"run"}
    assert {row["status"] for row in rows if row["tier"] == "seeds"} == {"too_few_runs"}
