"""The plan as a reader sees it, and as a program does."""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.stages.plan import Request, print_plan
from tests.models.tiny import LENGTH
from tests.stages.panels import SETTINGS, write_corpus
from tools.configuration import read_yaml

ANALYSIS = read_yaml("config/analysis.yaml")
PANEL = {"corpus": "texts", "tokenizer": "bpe", **SETTINGS}
RECIPE = {"n_layers": 1, "hidden_size": 8, "mlp_size": 16, "n_steps": 4, "batch_size": 2, "context_length": LENGTH}
TRAINED = {"source": "pretrain", "tokenizer": "bpe", "recipe": "tiny", "subject": "small"}


@pytest.fixture
def asked(tmp_path):
    """A request about models, in a folder of its own."""

    def request(models: dict, **more: object) -> Request:
        config = ANALYSIS | {
            "models": models,
            "panels": {"p": PANEL},
            "corpora": {"texts": {}},
            "tokenizers": {"bpe": {"source": "train", "vocab_size": 300}},
            "recipes": {"tiny": RECIPE},
            "cache": {"folder": str(tmp_path / "cache"), "disk_gb": 1},
            "results": str(tmp_path / "results"),
        }
        return Request(config, **more)

    return request


@pytest.fixture
def folder(tmp_path):
    """A training of which two checkpoints are equal and one is empty."""
    for step, value in ((0, 1.0), (2, 1.0), (4, 2.0)):
        place = tmp_path / f"run/step{step}"
        place.mkdir(parents=True)
        save_file({"w": np.full(100, value, np.float32)}, place / "model.safetensors")
        (place / "config.json").write_text("{}")
    (tmp_path / "run/step8").mkdir()
    return {"source": "folder", "path": str(tmp_path / "run/step{step}"), "tokenizer": "bpe"}


def cells(shown: str, first: str) -> list[str]:
    (row,) = (line for line in shown.splitlines() if line.startswith(f"│ {first} "))
    return [cell.strip() for cell in row.split("│")[1:-1]]


def test_a_plan_tells_equal_and_faulty_checkpoints_of_a_folder(asked, folder, capsys):
    print_plan(asked({"mine": folder}, whole=False), steps={"mine": [0, 2, 4, 8]})
    shown = capsys.readouterr().out
    assert cells(shown, "mine")[:6] == ["mine", "4", "3", "unchanged 0, 2", "0", "0.00 MB"]
    assert "To fetch: 0.00 MB. Disk at peak: 0.00 MB (cache.disk_gb: 1)." in shown
    assert "mine step 8: " in shown
    assert "Evidence within reach" not in shown
    print_plan(asked({"mine": folder}), steps={"mine": [0, 2, 4, 8]})
    shown = " ".join(capsys.readouterr().out.split())
    assert "panel p: effective numbers are known once its text is here" in shown
    assert "Evidence within reach" in shown
    assert re.search(r"│ mine │ 1 │ 0 │ 3 │ run │", shown)


def test_of_one_run_it_says_the_panel_the_tier_and_what_the_next_one_needs(asked, tmp_path, capsys):
    request = asked({"tiny": TRAINED}, texts={"p": write_corpus(tmp_path)}, declared={"tiny": {"in_a_job": 3}})
    print_plan(request, steps={"tiny": [0, 2, 4]})
    shown = capsys.readouterr().out
    assert cells(shown, "tiny")[:3] == ["tiny", "3", "trained here"]
    assert "Panel p: 80 contexts, 180 targets" in shown
    documents, types = map(float, cells(shown, "rare")[4:6])
    assert 12 <= documents <= 30
    assert types >= 12
    assert cells(shown, "twice the targets")[-1].startswith("× 1.")
    assert cells(shown, "small")[:5] == ["small", "1", "0", "3", "run"]
    assert "two more seeds" in " ".join(shown.split())
    assert "Cost: about " in shown


def test_as_json_it_says_the_same_on_standard_output_alone(asked, folder, tmp_path, capsys):
    models = {"tiny": TRAINED, "mine": folder}
    request = asked(models, texts={"p": write_corpus(tmp_path)})
    print_plan(request, steps={"tiny": [0, 2, 4], "mine": [0, 8]}, as_json=True)
    shown = capsys.readouterr()
    assert shown.err == ""
    said = json.loads(shown.out)
    assert said["trained_here"] == {"tiny": 3}
    (mine,) = said["models"]
    assert (mine["n_checkpoints"], mine["n_faulty"], mine["faulty"][0][0]) == (2, 1, 8)
    own, *others = said["panels"]["p"]
    assert {row["stratum"] for row in own["strata"]} == set(SETTINGS["strata"])
    assert all(one["reason"] or one["cost_ratio"] > 0 for one in others)
    assert {one["subject"]: one["tiers"] for one in said["tiers"]} == {"small": ["run"], "mine": []}
    assert said["cost"]["core_seconds"]["probe"] > 0
    assert said["cost"]["models"].keys() == {"tiny", "mine"}


def test_a_text_that_is_too_small_for_its_panel_is_told_and_the_rest_is_said(asked, tmp_path, capsys):
    request = asked({"tiny": TRAINED}, texts={"p": write_corpus(tmp_path)})
    request.config["panels"]["p"] = {**PANEL, "targets_per_stratum": 10_000}
    print_plan(request, steps={"tiny": [0, 2, 4]})
    shown = " ".join(capsys.readouterr().out.split())
    assert "panel p cannot be drawn: panel 'p': the corpus has" in shown
    assert "two more seeds" in shown
