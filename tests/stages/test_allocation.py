"""Intervals of a tiny run: what the tables hold, and what a bad end does."""

import shutil

import pytest
import torch

from rare_neurons.stages.allocation import OUTPUTS, Interval, write_allocation
from rare_neurons.stages.checkpoint_job import Workplace
from rare_neurons.tables import read_metadata, read_table, table_schema
from tests.models.tiny import random_model
from tests.stages.panels import STRATA
from tests.stages.tables import put_manifest
from tests.stages.test_on_panel import inputs_in

OPTIONS = {
    "strata": ["rare", "common", "absent"],
    "contexts": 24,
    "max_remainder": 0.02,
    "max_halvings": 1,
    "path": True,
}
MACHINE = {"device": "cpu", "batch_size": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four checkpoints, the last one cut off."""
    root = tmp_path_factory.mktemp("allocation")
    first = random_model("gpt_neox-parallel", dtype=torch.float32)
    first.save_pretrained(root / "run/step8")
    with torch.no_grad():
        first.get_output_embeddings().weight.mul_(0.9)
    first.save_pretrained(root / "run/step16")
    with torch.no_grad():
        first.get_output_embeddings().weight.mul_(0.9)
    first.save_pretrained(root / "run/step24")
    shutil.copytree(root / "run/step16", root / "run/step32")
    weights = root / "run/step32/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return root


@pytest.fixture(scope="module")
def written(folder):
    at = {step: put_manifest(folder / f"{step}.json", folder / "run", step) for step in (8, 16, 24, 32)}
    intervals = [(8, 16, None), (16, 32, None), (8, 24, 16)]
    outputs = {name: [str(folder / f"{name}-{a}-{b}.parquet") for a, b, _ in intervals] for name in OUTPUTS}
    write_allocation(
        outputs,
        inputs_in(folder),
        intervals=[Interval(at[a], at[b], at.get(between)) for a, b, between in intervals],
        panel="p",
        rules=STRATA,
        options=OPTIONS,
        machine=MACHINE,
        place=Workplace({"folder": str(folder / "cache"), "disk_gb": 1}),
    )
    return outputs


def test_units_add_up_to_the_change_and_only_what_moved_has_a_share(written):
    units, changes = (read_table(written[name][0]) for name in OUTPUTS)
    for name, table in zip(OUTPUTS, (units, changes), strict=True):
        assert table.schema.equals(table_schema(name))
        assert {(row["step_before"], row["step"]) for row in table.to_pylist()} == {(8, 16)}
    rows = units.to_pylist()
    assert {row["stratum"] for row in rows} == {"rare", "common"}
    assert {row["kind"] for row in rows if abs(row["allocation"]) > 1e-9} == {"unembedding"}
    for change in changes.to_pylist():
        column = "allocation" if change["part"] == "whole" else "allocation_within"
        total = sum(row[column] for row in rows if row["stratum"] == change["stratum"])
        # Sums of some hundred float64 numbers.
        assert total + change["remainder"] == pytest.approx(change["loss_change"], abs=1e-9)
        assert abs(change["remainder"]) <= 0.02 * max(abs(change["loss_change"]), 0.1)


def test_a_bad_end_leaves_an_empty_table_that_says_why_and_harms_no_other(written):
    for name in OUTPUTS:
        assert read_table(written[name][1]).num_rows == 0
        about = read_metadata(written[name][1])
        assert about["status"] == "bad_checkpoint"
        assert "sha256" in about["reason"] or "cut off" in about["reason"] or "bytes" in about["reason"]
        assert read_metadata(written[name][0])["status"] == "ok"


def test_metadata_name_both_ends_and_the_strata(written):
    about = read_metadata(written["allocation"][0])
    assert {"manifest", "manifest_before", "contexts", "targets", "unigram"} <= set(about["inputs"])
    assert about["inputs"]["manifest"] != about["inputs"]["manifest_before"]
    assert about["params"] == {**OPTIONS, "strata_of_panel": STRATA}
    assert about["dtype"] == "float32"


def test_a_checkpoint_between_is_an_input_of_its_interval_alone(written):
    named = [read_metadata(path)["inputs"] for path in written["allocation"]]
    assert ["manifest_between" in inputs for inputs in named] == [False, False, True]
    direct, by_way = (read_table(written["allocation_changes"][k]).to_pylist() for k in (0, 2))
    assert {row["path_correlation"] for row in direct} == {None}
    # Only the unembedding moved, so no neuron has a share that could vary.
    assert {row["path_correlation"] for row in by_way} == {None}
    assert {(row["step_before"], row["step"]) for row in by_way} == {(8, 24)}
