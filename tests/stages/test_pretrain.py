import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.numpy import load_file

from rare_neurons.models import pretraining
from rare_neurons.stages.pretrain import WORK, Training, _stream, write_checkpoints
from rare_neurons.tables import write_table

END, VOCAB = 0, 16
RECIPE = {
    "hidden_size": 8,
    "n_layers": 1,
    "n_heads": 2,
    "mlp_size": 16,
    "context_length": 8,
    "batch_size": 2,
    "n_steps": 2,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
}
TRAINING = Training("tiny", RECIPE, [0, 2], 0, "natural")


@pytest.fixture
def inputs(tmp_path):
    rng = np.random.default_rng(0)
    ids = [rng.integers(1, VOCAB, 40).tolist() for _ in range(4)]
    table = pa.table({"document": list("abcd"), "heldout": [False, True, False, False], "token_ids": ids})
    about = {"vocab_size": VOCAB, "end_of_text_id": END}
    write_table(table.set_column(2, "token_ids", pa.array(ids, pa.list_(pa.int32()))), tmp_path / "t.parquet", about)
    (tmp_path / "tokenizer.json").write_text("{}")
    return {"tokens": str(tmp_path / "t.parquet"), "tokenizer": str(tmp_path / "tokenizer.json")}


@pytest.fixture(autouse=True)
def _as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def train(folder, inputs, training=TRAINING):
    write_checkpoints(str(folder / "recipe.json"), **inputs, training=training, threads=1)
    return load_file(folder / "step2/model.safetensors")


def test_a_training_keeps_its_checkpoints_and_says_how_it_was_made(tmp_path, inputs):
    folder = tmp_path / "made"
    train(folder, inputs)
    assert sorted(p.name for p in folder.glob("step*")) == ["step0", "step2"]
    assert all((folder / f"step{s}/tokenizer.json").read_text() == "{}" for s in (0, 2))
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "recipe.json", "recipe.json.sha256", "step0", "step2"]
    record = json.loads((folder / "recipe.json").read_text())
    assert (record["recipe"], record["seed"], record["steps"]) == (RECIPE, 0, [0, 2])
    start, end = (load_file(folder / f"step{s}/model.safetensors") for s in (0, 2))
    assert any(not np.array_equal(start[name], end[name]) for name in start)


def test_checkpoints_that_are_no_longer_asked_for_go(tmp_path, inputs):
    train(tmp_path / "made", inputs)
    train(tmp_path / "made", inputs, replace(TRAINING, steps=[2]))
    assert [p.name for p in (tmp_path / "made").glob("step*")] == ["step2"]


class KilledError(Exception):
    """Ends a training where a kill would."""


def killed(tmp_path, inputs, monkeypatch, training=TRAINING):
    """Train until the last checkpoint is about to be written; Snakemake then deletes the outputs."""
    save = pretraining._save

    def save_once(model, folder):
        if "step2" in folder.name:
            raise KilledError
        save(model, folder)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "_save", save_once)
        with pytest.raises(KilledError):
            train(tmp_path / "made", inputs, training)
    assert not list((tmp_path / "made").glob("step*"))


def test_a_killed_training_goes_on_from_its_last_checkpoint(tmp_path, inputs, monkeypatch):
    whole = train(tmp_path / "whole", inputs)
    killed(tmp_path, inputs, monkeypatch)
    first = (tmp_path / f"made/{WORK}/step0/model.safetensors").stat().st_ino
    resumed = train(tmp_path / "made", inputs)
    assert (tmp_path / "made/step0/model.safetensors").stat().st_ino == first
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_a_kill_while_the_training_is_tidied_away_leaves_nothing_half_to_resume(tmp_path, inputs, monkeypatch):
    whole = train(tmp_path / "whole", inputs)

    def killed_halfway(folder):
        (folder / "step0/model.safetensors").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rare_neurons.stages.pretrain.shutil.rmtree", killed_halfway)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "made", inputs)
    assert (tmp_path / f"made/{WORK}/step0").is_dir()
    again = train(tmp_path / "made", inputs)
    assert all(np.array_equal(whole[name], again[name]) for name in whole)
    assert not (tmp_path / f"made/{WORK}").exists()


def test_another_seed_removes_what_a_killed_training_left(tmp_path, inputs, monkeypatch):
    killed(tmp_path, inputs, monkeypatch)
    other = replace(TRAINING, seed=1)
    left, fresh = (train(tmp_path / name, inputs, other) for name in ("made", "fresh"))
    assert all(np.array_equal(left[name], fresh[name]) for name in fresh)


def test_the_control_has_the_same_tokens_in_another_order(inputs):
    natural = _stream(inputs["tokens"], END, 0, "natural")
    shuffled = _stream(inputs["tokens"], END, 0, "unigram_shuffled")
    assert len(natural) == 3 * 41  # one of the four documents is held out
    assert np.sum(natural == END) == 3
    assert np.array_equal(np.sort(natural), np.sort(shuffled))
    assert not np.array_equal(natural, shuffled)
    assert not np.array_equal(shuffled, _stream(inputs["tokens"], END, 1, "unigram_shuffled"))
