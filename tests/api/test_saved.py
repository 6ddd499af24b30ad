"""What is refused before a training; the measurement itself is in `tests/workflow/test_callback.py`."""

import pytest
import torch

from rare_neurons.api.saved import SavedCheckpoints
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.configuration import complete_config
from rare_neurons.errors import RequestError
from rare_neurons.tables import read_metadata, read_table
from tests.models.tiny import VOCAB, random_model
from tests.stages.panels import SETTINGS, draw_panel, write_corpus, write_tokenizer
from tests.workflow.project import CONFIG
from tools.configuration import SCHEMA, read_yaml


@pytest.fixture
def config(tmp_path):
    """A configuration of one model in a folder, with results of its own."""
    path = f"{tmp_path}/runs/checkpoint-{{step}}"
    mine = {"source": "folder", "path": path, "tokenizer": "bpe", "steps": "found"}
    upper = {
        **CONFIG,
        "results": str(tmp_path / "results"),
        "cache": {"folder": str(tmp_path / "cache"), "disk_gb": 1},
        "models": {**CONFIG["models"], "mine": mine},
        "panels": {"p": {"corpus": "texts", "tokenizer": "bpe", **SETTINGS}},
        "spectra": {"refits": 0},
    }
    return complete_config(SCHEMA, read_yaml("config/analysis.yaml"), upper)


def test_a_model_that_is_not_there_or_not_a_folders_is_refused(config, tmp_path):
    results = tmp_path / "results"
    with pytest.raises(RequestError, match="no model 'mime' in the configuration; near: mine; there: tiny-seed0, mine"):
        SavedCheckpoints.of(results, "mime", config)
    with pytest.raises(RequestError, match="model tiny-seed0: its source is 'pretrain'"):
        SavedCheckpoints.of(results, "tiny-seed0", config)
    with pytest.raises(RequestError, match=r"the configuration writes to .*/results, not to .*/other; name the same"):
        SavedCheckpoints.of(tmp_path / "other", "mine", config)


def test_a_training_that_saves_elsewhere_is_refused(config, tmp_path):
    saved = SavedCheckpoints.of(tmp_path / "results", "mine", config)
    with pytest.raises(
        RequestError, match=r"the Trainer saves .*/elsewhere/checkpoint-\{step\}, but the configuration"
    ):
        saved.check(tmp_path / "elsewhere")


def test_missing_panels_are_named_with_the_command_that_makes_them(config, tmp_path):
    saved = SavedCheckpoints.of(tmp_path / "results", "mine", config)
    with pytest.raises(
        RequestError, match=r"panel/p/contexts\.parquet, .*tokenizer\.json must be there before .*snakemake"
    ):
        saved.check(tmp_path / "runs")


def test_a_checkpoint_is_measured_as_the_stages_do(config, tmp_path):
    saved = SavedCheckpoints.of(tmp_path / "results", "mine", config)
    panel = tmp_path / "results/panel/p"
    corpus, tokenizer = tmp_path / "results/corpus/texts/bpe", tmp_path / "results/tokenizer/bpe"
    for folder in (panel, corpus, tokenizer):
        folder.mkdir(parents=True)
    draw_panel(panel, write_corpus(corpus))
    write_tokenizer(tokenizer)
    saved.check(tmp_path / "runs")
    random_model("gpt_neox-parallel", dtype=torch.float32).save_pretrained(saved.folder(7))
    saved.measure(7, threads=torch.get_num_threads())
    manifest = read_manifest(tmp_path / "results/manifest/mine/step7.json")
    shard = tmp_path / "results/influence/p/mine/step7.parquet"
    about = read_metadata(shard)
    assert about["inputs"]["manifest"] == manifest.digest
    assert about["weights_sha256"] == manifest.weights_digest
    assert about["tokenizer"].startswith(f"none: tokenizer.json is not there; {VOCAB} ids")
    assert set(read_table(shard, ["step"])["step"].to_pylist()) == {7}
    assert (tmp_path / "results/.kept/influence/p/mine/step7.parquet").samefile(shard)
    assert (tmp_path / "results/spectra/mine/step7.parquet").is_file()
