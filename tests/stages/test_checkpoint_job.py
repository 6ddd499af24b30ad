"""One job on several checkpoints: a bad one says why, and harms no other."""

from pathlib import Path

import numpy as np
import pytest

from rare_neurons.catalogue import VERSIONS
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.checkpoints.tensors import iter_tensors
from rare_neurons.errors import DataFault, RequestError
from rare_neurons.stages.checkpoint_job import (
    CheckpointFiles,
    CheckpointJob,
    Workplace,
    files_of,
    place_of,
    run_checkpoint_job,
)
from rare_neurons.stages.kept import NOTHING, Kept
from rare_neurons.tables import digest_of, from_rows, read_metadata, read_table, table_schema
from tests.checkpoints.tiny import make_run
from tests.stages.tables import put_manifest

STEPS = (0, 2, 4)
PARAMS = {"n_projections": 1, "nested": {"a": [1, 2]}}
JOB = CheckpointJob("spectra", {"fingerprint": PARAMS}, about={"dtype": "float64"})


@pytest.fixture
def files(tmp_path):
    """Checkpoints whose weights are their step."""
    make_run(tmp_path / "run", STEPS)
    return {
        step: CheckpointFiles(
            put_manifest(tmp_path / f"manifest/step{step}.json", tmp_path / "run", step),
            {"fingerprint": str(tmp_path / f"out/step{step}.parquet")},
            inputs={"panel": "p" * 64},
        )
        for step in STEPS
    }


@pytest.fixture
def run_job(tmp_path):
    """Run the job on the given checkpoints and return the steps whose weights were opened."""

    def run(checkpoints, bad=(), unfit=(), kept=NOTHING, folders=()):
        opened = []

        def measure(folder, checkpoint, _):
            opened.append(checkpoint.step)
            if checkpoint.step in bad:
                raise DataFault(f"step {checkpoint.step} is not finite")
            if checkpoint.step in unfit:
                raise RequestError(f"step {checkpoint.step} has another tokenizer")
            rows = [
                {"tensor": name, "shape": array.shape, "norm": float(np.linalg.norm(array)), "n_nonfinite": 0}
                | {"sha256": "s", "projection": [0.0]}
                for name, array in iter_tensors(folder)
            ]
            return {"fingerprint": from_rows("fingerprint", rows, place_of(checkpoint))}

        cache = {"folder": str(tmp_path / "cache"), "disk_gb": 1}
        run_checkpoint_job(JOB, checkpoints, measure, place=Workplace(cache, kept=kept, folders=folders))
        return opened

    return run


def output(files):
    return files.outputs["fingerprint"]


def assert_empty(files, reason):
    table, about = read_table(output(files)), read_metadata(output(files))
    assert table.num_rows == 0
    assert table.schema.equals(table_schema("fingerprint"))
    assert about["status"] == "bad_checkpoint"
    assert reason in about["reason"]


def test_a_fault_while_measuring_harms_no_other_checkpoint(files, run_job):
    assert run_job(files.values(), bad=(2,)) == list(STEPS)
    assert_empty(files[2], "step 2 is not finite")
    for step in (0, 4):
        (row,) = read_table(output(files[step])).to_pylist()
        assert (row["model"], row["step"], row["tensor"], row["shape"]) == ("m", step, "w", [3, 4])
        assert row["norm"] == pytest.approx(step * np.sqrt(12))
        about = read_metadata(output(files[step]))
        assert (about["status"], about["reason"]) == ("ok", None)


def test_a_file_that_is_gone_is_a_fault_too(files, run_job, tmp_path):
    (tmp_path / "run/step0/model.safetensors").unlink()
    assert run_job(files.values()) == [2, 4]
    assert_empty(files[0], "model.safetensors is gone")


def test_a_fault_known_beforehand_opens_no_weights(files, run_job):
    known = CheckpointFiles(files[0].manifest, files[0].outputs, fault="the probe found it bad")
    assert run_job([known, files[2]]) == [2]
    assert_empty(files[0], "the probe found it bad")


def test_tables_say_what_went_in(files, run_job):
    run_job([files[2]])
    about, manifest = read_metadata(output(files[2])), read_manifest(files[2].manifest)
    assert about["params"] == PARAMS
    assert (about["rule"], about["rule_version"]) == ("spectra", VERSIONS["spectra"])
    assert about["inputs_sha256"] == digest_of({"manifest": manifest.digest, "panel": "p" * 64})
    assert (about["weights_sha256"], about["dtype"]) == (manifest.weights_digest, "float64")


def test_a_mistake_of_the_code_is_no_fault_of_the_checkpoint(files, tmp_path):
    def measure(*_):
        raise KeyError("a wrong name")

    with pytest.raises(KeyError, match="a wrong name"):
        run_checkpoint_job(JOB, [files[0]], measure, place=Workplace({"folder": str(tmp_path / "cache"), "disk_gb": 1}))
    assert not (tmp_path / "out").exists()


def test_the_place_names_a_panel_where_there_is_one(files):
    checkpoint = read_manifest(files[4].manifest)
    assert place_of(checkpoint) == {"model": "m", "step": 4}
    assert place_of(checkpoint, "p") == {"panel": "p", "model": "m", "step": 4}


def test_one_that_does_not_fit_the_request_is_told_after_the_others(files, run_job):
    with pytest.raises(RequestError, match="step 2 has another tokenizer"):
        run_job(files.values(), unfit=(2,))
    assert read_table(output(files[4])).num_rows == 1
    assert not Path(output(files[2])).exists()


def test_what_is_finished_is_not_measured_again(files, run_job, tmp_path):
    kept = Kept(tmp_path)
    assert run_job([files[0], files[2]], bad=(2,), kept=kept) == [0, 2]
    first = Path(output(files[0])).read_bytes()
    for one in (files[0], files[2]):
        Path(output(one)).unlink()  # as Snakemake does where a job fails
    assert run_job(files.values(), kept=kept) == [2, 4]  # a bad one may have been repaired
    assert Path(output(files[0])).read_bytes() == first


def test_tables_of_a_checkpoint_are_put_together_by_its_place_in_the_lists():
    found = files_of(["m0", "m4"], {"a": ["a0", "a4"], "b": ["b0", "b4"]}, {"panel": "p"})
    assert found == [
        CheckpointFiles("m0", {"a": "a0", "b": "b0"}, {"panel": "p"}),
        CheckpointFiles("m4", {"a": "a4", "b": "b4"}, {"panel": "p"}),
    ]


def test_each_checkpoint_is_measured_where_it_lies_for_this_job(files, run_job, tmp_path):
    run_job(files.values())
    before = {step: read_table(output(files[step])) for step in STEPS}
    (tmp_path / "run").rename(tmp_path / "copies")
    assert run_job(files.values(), folders=[str(tmp_path / f"copies/step{step}") for step in STEPS]) == list(STEPS)
    assert {step: read_table(output(files[step])) for step in STEPS} == before
    place = Workplace({}, folders=("a", "b"))
    assert [place.only(index).folders for index in (0, 1)] == [("a",), ("b",)]
    assert Workplace({}).only(1).folders == ()
