"""A configuration from what lies in a folder; what is missing is refused with what to do."""

import json

import pytest
import yaml

from rare_neurons.cli.own import Wanted, context_of, find_checkpoints, tokens_per_step, written_config
from rare_neurons.errors import RequestError
from tests.cli.test_places import tokenizer_json
from tools.configuration import read_config

GPT2 = {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 32, "vocab_size": 300}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Folders as the Trainer leaves them, a tokenizer beside them, and texts."""
    monkeypatch.chdir(tmp_path)
    for step in (50, 100, 1000):
        folder = tmp_path / f"runs/my model/checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(GPT2))
    (tmp_path / "runs/my model/logs-7").mkdir()
    (tmp_path / "runs/my model/tokenizer").mkdir()
    (tmp_path / "runs/my model/tokenizer/tokenizer.json").write_text(tokenizer_json("</s>"))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("word " * 20_000)
    return tmp_path


def test_a_folder_of_the_trainer_becomes_a_configuration_that_is_allowed(trained):
    text = written_config(Wanted("runs/my model"))
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= 10
    layer = yaml.safe_load(text)
    assert layer["models"]["my-model"] == {
        "source": "folder",
        "path": "runs/my model/checkpoint-{step}",
        "tokenizer": "my-model",
        "steps": "found",
    }
    assert layer["tokenizers"]["my-model"]["end_of_text"] == "</s>"
    assert layer["panels"]["heldout"]["context_length"] == 32  # its positions
    (trained / "it.yaml").write_text(text)
    assert read_config(trained / "it.yaml")["models"]["my-model"]["source"] == "folder"


def test_spectra_alone_need_neither_tokenizer_nor_text(trained):
    (trained / "runs/my model/tokenizer/tokenizer.json").unlink()
    (trained / "texts/a.txt").unlink()
    text = written_config(Wanted("runs/my model", spectra=True))
    (trained / "it.yaml").write_text(text)
    found = read_config(trained / "it.yaml")
    assert found["targets"] == ["spectra"]
    assert (list(found["models"]), found["models"]["my-model"]["steps"]) == (["my-model"], "found")


def test_the_tour_is_allowed():
    assert written_config(Wanted(None)).startswith("# yaml-language-server")
    assert list(read_config("config/tour.yaml")["models"]) == ["tour"]


def test_a_pattern_may_be_named_instead_of_a_folder(trained):
    assert find_checkpoints("runs/my model/checkpoint-{step}") == ("runs/my model/checkpoint-{step}", (50, 100, 1000))
    with pytest.raises(RequestError, match="no checkpoints in"):
        find_checkpoints("runs/my model/step{step}")


def test_a_single_checkpoint_is_refused_with_what_a_timeline_needs(trained):
    with pytest.raises(RequestError, match=r"single checkpoint; a timeline needs several.*save_steps"):
        written_config(Wanted("runs/my model/checkpoint-50"))


def test_no_tokenizer_says_where_it_was_looked_for_and_how_to_write_one(trained):
    (trained / "runs/my model/tokenizer/tokenizer.json").unlink()
    with pytest.raises(RequestError, match=r"no tokenizer\.json in .*checkpoint-1000.*save_pretrained\('tokenizer'\)"):
        written_config(Wanted("runs/my model"))
    assert "source: hub, repo: gpt2" in written_config(Wanted("runs/my model", tokenizer="gpt2"))


def test_no_text_says_how_much_is_needed(trained):
    (trained / "texts/a.txt").unlink()
    with pytest.raises(RequestError, match=r"no text for the panel.*--text.*a dozen documents"):
        written_config(Wanted("runs/my model"))
    with pytest.raises(RequestError, match=r"no file matches data/\*\.txt; name texts"):
        written_config(Wanted("runs/my model", texts=("data/*.txt",)))
    (trained / "data").mkdir()
    (trained / "data/a.txt").write_text("word " * 1000)
    with pytest.raises(RequestError, match=r"1 text files of 5,000 bytes in all are too little .* 36,000 bytes are"):
        written_config(Wanted("runs/my model", texts=("data/*.txt",)))


def test_few_files_are_cut_into_the_documents_of_a_panel_and_many_are_left(trained):
    source = yaml.safe_load(written_config(Wanted("runs/my model")))["corpora"]["texts"]
    assert source == {"source": "text", "paths": ["texts/*.txt"], "piece_characters": 100_000 // 72}
    for i in range(36):
        (trained / f"texts/{i}.txt").write_text("a")
    assert "piece_characters" not in written_config(Wanted("runs/my model"))


def test_an_unknown_family_and_an_unknown_place_are_refused(trained):
    for step in (50, 100, 1000):
        (trained / f"runs/my model/checkpoint-{step}/config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(RequestError, match="unknown family 'mamba'; known: gpt_neox, gpt2"):
        written_config(Wanted("runs/my model"))
    with pytest.raises(RequestError, match="no folder nowhere; name a folder of checkpoints, or owner/name"):
        written_config(Wanted("nowhere"))


@pytest.mark.parametrize("name", ["runs/my-model", "runs/mymodel"])
def test_a_misspelt_folder_is_refused_with_the_one_that_is_there(trained, name, monkeypatch):
    def no_such(repo):
        raise RequestError(f"no repository {repo} on the Hub")

    monkeypatch.setattr("rare_neurons.cli.own.hub_checkpoints", no_such)
    with pytest.raises(RequestError, match=rf"{name}.*; there is runs/my model"):
        written_config(Wanted(name))


def test_a_folder_that_holds_one_checkpoint_is_refused(trained):
    for step in (50, 100):
        (trained / f"runs/my model/checkpoint-{step}/config.json").unlink()
    with pytest.raises(RequestError, match=r"runs/my model holds a single checkpoint, checkpoint-1000; .*save_steps"):
        written_config(Wanted("runs/my model"))


def test_weights_without_a_configuration_are_refused_with_what_writes_one(trained):
    for step in (50, 100, 1000):
        folder = trained / f"runs/my model/checkpoint-{step}"
        (folder / "config.json").rename(folder / "pytorch_model.bin")
    with pytest.raises(RequestError, match=r"checkpoint-100 has weights alone: model\.config\.save_pretrained"):
        written_config(Wanted("runs/my model"))


def test_a_floor_too_high_is_refused_with_the_folders_below(trained):
    with pytest.raises(RequestError, match=r"no checkpoints in runs: .*; they are in runs/my model: name one of these"):
        written_config(Wanted("runs"))


def test_tokens_of_a_step_where_the_trainer_has_counted_them(tmp_path):
    assert tokens_per_step(tmp_path) is None
    for state, found in (
        ({"num_input_tokens_seen": 0, "global_step": 10}, None),
        ({"num_input_tokens_seen": 5120, "global_step": 10}, 512),
    ):
        (tmp_path / "trainer_state.json").write_text(json.dumps(state))
        assert tokens_per_step(tmp_path) == found


def test_contexts_are_no_longer_than_positions():
    assert context_of(GPT2) == 32
    assert context_of({**GPT2, "n_positions": 1024}) == 128
