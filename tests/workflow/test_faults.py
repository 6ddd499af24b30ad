"""Every row of the fault table: a wrong request stops the run with one sentence, bad data becomes a status."""

import json
import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from rare_neurons import load_evidence, load_integrity, load_timeline
from rare_neurons.tables import read_metadata
from tests.workflow.project import NO_FIGURES, OF_TEXT

OF_LAYERS = [
    *(f"layer_influence/heldout/local/step{step}" for step in (4, 7)),
    *(f"allocation/heldout/local/step{interval}" for interval in ("0-4", "4-7")),
]
pytestmark = pytest.mark.pipeline


def folder_model(project, **changes):
    """Take the finished run's checkpoints as local folders, so that one can be spoilt."""
    results = project.folder / "results"
    shutil.move(results / "pretrain/tiny-seed0", project.folder / "run")
    for path in {*results.iterdir()} - {results / name for name in OF_TEXT}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    model = {"source": "folder", "path": "run/step{step}", "tokenizer": "bpe", "steps": [0, 2, 4], **changes}
    return project.configure(models={"local": model})


def test_a_misspelt_key_is_refused_before_any_job(project):
    config = project.configure()
    project.configure(probe={**config["probe"], "engin": "exact"})
    out = project.run(expect=1).stdout
    assert "probe: unknown key 'engin'; known: batch_size, device, dtype, engine" in out
    assert "rule " not in out


def test_a_value_that_is_not_allowed_names_what_is(project):
    config = project.configure()
    project.configure(probe={**config["probe"], "engine": "fast"})
    assert "probe.engine: 'fast' is not allowed; allowed: 'certified', 'exact'" in project.run(expect=1).stdout


def test_a_local_step_that_does_not_exist_is_refused_before_any_job(project):
    folder_model(project, steps=[0, 2, 3, 4])
    out = project.run(expect=1).stdout
    assert "no folder run/step3 for step 3" in out
    assert "steps found there: 0, 2, 4" in out
    assert "rule " not in out


def test_an_unwritable_results_folder_is_refused_before_any_job(project):
    (project.folder / "blocked").write_text("a file, not a folder")
    project.configure(results="blocked/results")
    out = project.run(expect=1).stdout
    assert "the results folder blocked/results cannot be written to (Not a directory)" in out


def test_a_corpus_too_small_for_the_panel_stops_before_training(project):
    shutil.rmtree(project.folder / "results")
    config = project.configure()
    project.configure(panels={"heldout": {**config["panels"]["heldout"], "targets_per_stratum": 100_000}})
    out = project.run(expect=1).stdout
    assert "eligible targets per stratum" in out
    assert "'rare': " in out
    assert not (project.folder / "results/pretrain").exists()


def test_bad_data_becomes_a_status_and_the_others_go_on(project):
    config = folder_model(project, steps=[0, 2, 4, 5, 6, 7, 8, 9, 10, 11])
    project.configure(
        models=config["models"],
        layers={**config["layers"], "steps": [4, 7]},
        allocation={**config["allocation"], "steps": [0, 4, 7]},
    )
    run = project.folder / "run"
    shutil.copytree(run / "step4", run / "step5")
    (run / "step6").mkdir()
    for step in (7, 8, 9, 10, 11):
        shutil.copytree(run / "step4", run / f"step{step}")
    # 5: truncated; 6: empty folder; 7: NaN; 8: a missing tensor; 9: a pipe; 10: 200,000 layers; 11: a dead link.
    weights = run / "step5/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    tensors = load_file(run / "step7/model.safetensors")
    name = next(n for n in tensors if n.endswith("mlp.dense_h_to_4h.weight"))
    tensors[name][0, 0] = np.nan
    save_file(tensors, run / "step7/model.safetensors", metadata={"format": "pt"})
    tensors = load_file(run / "step8/model.safetensors")
    del tensors[name]
    save_file(tensors, run / "step8/model.safetensors", metadata={"format": "pt"})

    (run / "step9/config.json").unlink()
    os.mkfifo(run / "step9/config.json")
    config = json.loads((run / "step10/config.json").read_text())
    (run / "step10/config.json").write_text(json.dumps(config | {"num_hidden_layers": 200_000}))
    (run / "step11/tokenizer.json").unlink()
    (run / "step11/tokenizer.json").symlink_to("gone")

    project.run(*NO_FIGURES)

    results = project.folder / "results"
    verdicts = {row["step"]: row for row in load_integrity(results, format="arrow").to_pylist()}
    assert {s: v["quarantined"] for s, v in verdicts.items()} == {s: s > 4 for s in (0, 2, *range(4, 12))}
    assert verdicts[5]["status"] == "corrupt"
    assert "truncated" in verdicts[5]["reason"]
    assert verdicts[6]["status"] == "missing"
    assert "holds no weights" in verdicts[6]["reason"]
    assert verdicts[7]["status"] == "non_finite"
    assert verdicts[8]["status"] in ("bad_checkpoint", "other_tensors")
    assert "mlp.dense_h_to_4h.weight" in verdicts[8]["reason"]
    assert verdicts[9]["reason"] == "config.json of step9 is a named pipe, not a regular file"
    assert "num_hidden_layers=200000, allowed are whole numbers from 1 to 512" in verdicts[10]["reason"]
    assert verdicts[11]["reason"] == "tokenizer.json of step11 is a link to nothing"
    assert all(v["reason"] for v in verdicts.values() if v["quarantined"])
    found = {path: read_metadata(results / f"{path}.parquet") for path in OF_LAYERS}
    assert [found[path]["status"] for path in OF_LAYERS] == ["ok", "bad_checkpoint", "ok", "bad_checkpoint"]
    assert all("not finite in step7" in str(found[path]["reason"]) for path in OF_LAYERS if "7" in path), found
    good = load_timeline(results, "influence", columns="step").step.tolist()
    assert sorted(set(good)) == [0, 2, 4]
    empty = pq.read_table(results / "influence/heldout/local/step5.parquet")
    assert empty.num_rows == 0
    assert empty.schema.names == pq.read_schema(results / "influence/heldout/local/step4.parquet").names


def test_a_model_without_a_good_checkpoint_fails_the_run_at_its_end_and_keeps_everything(project):
    folder_model(project)
    for weights in (project.folder / "run").rglob("model.safetensors"):
        weights.write_bytes(weights.read_bytes()[:500])
    for _ in range(2):  # the next run says it again
        out = project.run(expect=1).stdout
        assert "model local: none of its 3 checkpoints can be used: step 0 corrupt (model.safetensors: 500 bytes" in out
    assert load_integrity(project.folder / "results").quarantined.all()
    assert load_evidence(project.folder / "results").empty
    assert "step 0: corrupt; step 2: corrupt" in (project.folder / "results/summary.txt").read_text()
    assert (project.folder / "results/figures/local/loss.png").exists()
    assert (project.folder / "results/timelines/members/local.parquet").exists()


def test_a_repaired_checkpoint_is_measured(project):
    folder_model(project)
    weights = project.folder / "run/step2/model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:500])
    timelines = ("--", "results/timelines/influence/local.parquet")
    project.run(*timelines)
    assert load_integrity(project.folder / "results").quarantined.tolist() == [False, True, False]
    weights.write_bytes(whole)
    project.run(*timelines)
    assert not load_integrity(project.folder / "results").quarantined.any()
    assert set(load_timeline(project.folder / "results", "influence").step) == {0, 2, 4}


def test_a_tokenizer_that_does_not_fit_the_model_is_named(project):
    folder_model(project)
    path = project.folder / "run/step2/tokenizer.json"
    tokenizer = json.loads(path.read_text())
    vocab = tokenizer["model"]["vocab"]
    first, second = list(vocab)[300:302]
    vocab[first], vocab[second] = vocab[second], vocab[first]
    path.write_text(json.dumps(tokenizer))
    out = project.run(expect=1).stdout
    assert "the tokenizer of the checkpoint does not fit the panel's" in out
    assert "(local, step 2)" in out
    assert not (project.folder / "results/manifest/local/step2.json").exists()
