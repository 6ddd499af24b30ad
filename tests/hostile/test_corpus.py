"""Whatever lies in a checkpoint's folder: told within seconds and a gigabyte, harming no process, running no code."""

import json
import os
import pickle
import re

import pytest

from tests.hostile.corpus import CASES, HARMLESS
from tests.hostile.spoil import CANARY, touch
from tests.workflow.project import ROOT
from tests.workflow.warm import warm

MAX_S, MAX_BYTES = 10, 10**9
STAGES = ("resolve", "spectra", "probe")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What the stages said of each case, and the path of what hostile code would have made."""
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canary"
    variables = {**os.environ, CANARY: str(canary), "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = warm().run(["tests.hostile.measure", str(folder)], folder, variables)
    assert done.returncode == 0, done.stdout[-4000:]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name": ')]
    return {row["name"]: row for row in rows}, canary


@pytest.fixture
def outcome(measured, name):
    row = measured[0][name]
    assert "crashed" not in {row[stage][0] for stage in STAGES}, row
    return row


def test_the_corpus_is_as_large_as_it_says(measured):
    assert len(CASES) - len(HARMLESS) >= 100
    assert measured[0].keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_time_and_memory_are_bounded(outcome):
    assert outcome["seconds"] < MAX_S
    assert outcome["memory"] < MAX_BYTES


@pytest.mark.parametrize("name", sorted(CASES.keys() - HARMLESS.keys()))
def test_a_bad_checkpoint_is_told_with_the_reason(outcome, name):
    told = [outcome[stage][1] for stage in STAGES if outcome[stage][0] != "ok"]
    assert any(re.search(CASES[name].why, reason) for reason in told), outcome
    assert all(len(reason) < 1000 and reason.isprintable() for reason in told), told


@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_checkpoint_names_is_not_followed(outcome, measured, name):
    assert [outcome[stage][0] for stage in STAGES] == ["ok"] * 3, outcome
    if HARMLESS[name].base == HARMLESS["nothing"].base:
        assert outcome["digests"] == measured[0]["nothing"]["digests"]


def test_another_way_to_cut_text_is_said(measured):
    said = {name: measured[0][name]["probe"][1] for name in ("nothing", "regex-bomb", "charsmap-bomb")}
    assert said["nothing"] == "that of the panel"
    assert said["regex-bomb"].startswith("another pre_tokenizer than the panel's")
    assert said["charsmap-bomb"].startswith("another normalizer than the panel's")


def test_no_code_was_run(measured):
    assert not measured[1].exists()


def test_code_that_is_run_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv(CANARY, str(tmp_path / "canary"))
    pickle.loads(pickle.dumps(touch()))
    assert (tmp_path / "canary").exists()
