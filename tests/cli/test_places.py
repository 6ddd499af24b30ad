"""The tokenizer between documents, and folders whose name was misspelt."""

import json

import pytest

from rare_neurons.cli import places
from rare_neurons.cli.places import end_of_text, find_tokenizer, near_folder
from rare_neurons.errors import RequestError
from rare_neurons.stages import own_tokenizer


def tokenizer_json(*special: str) -> str:
    return json.dumps(
        {"added_tokens": [{"content": token, "id": i, "special": True} for i, token in enumerate(special)]}
    )


@pytest.mark.parametrize(
    ("special", "token"),
    [(("<s>", "<|endoftext|>"), "<|endoftext|>"), (("<s>", "</s>"), "</s>"), (("<end>",), "<end>")],
)
def test_the_token_between_documents(tmp_path, special, token):
    (tmp_path / "tokenizer.json").write_text(tokenizer_json(*special))
    assert end_of_text(tmp_path / "tokenizer.json") == token


def test_a_tokenizer_without_a_known_end_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text(tokenizer_json("<a>", "<b>"))
    with pytest.raises(RequestError, match=r"no known end-of-text token .*\(<a>, <b>\); write `end_of_text`"):
        end_of_text(tmp_path / "tokenizer.json")


def test_a_misspelt_tokenizer_is_no_repository_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/tokenizer.json").write_text(tokenizer_json("</s>"))
    assert find_tokenizer("tokenizer", None) == 'source: folder, path: tokenizer, end_of_text: "</s>"'
    with pytest.raises(RequestError, match="no folder tokeniser; there is tokenizer: name it, or owner/name of a Hub"):
        find_tokenizer("tokeniser", None)
    assert find_tokenizer("openai-community/gpt2", None) == "source: hub, repo: openai-community/gpt2"


def test_what_is_called_otherwise_is_not_near(tmp_path):
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-file").write_text("")
    assert near_folder(str(tmp_path / "my-modell")) == str(tmp_path / "my-model")
    assert near_folder(str(tmp_path / "pythia-70m")) is None
    assert near_folder(str(tmp_path / "my-files")) is None
    assert near_folder(str(tmp_path / "nowhere/my-model")) is None


@pytest.mark.parametrize("kind", ["BPE", "Unigram"])
def test_the_tokenizer_of_another_model_is_refused_at_once(tmp_path, kind):
    words = {"a": 0, "b": 1, "</s>": 2}
    vocabulary = words if kind == "BPE" else [[word, 0.0] for word in words]
    special = {"content": "</s>", "id": 2, "special": True}
    extra = {"content": "<pad>", "id": 3, "special": False}
    record = {"added_tokens": [special, extra], "model": {"type": kind, "vocab": vocabulary}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(record))
    for fitting in (4, 1027, None):
        assert "end_of_text" in find_tokenizer(str(tmp_path), None, fitting)
    for other in (3, 1028):
        with pytest.raises(
            RequestError, match=rf"tokenizer\.json has 4 tokens, but .* vocab_size {other:,} .*--tokenizer"
        ):
            find_tokenizer(str(tmp_path), None, other)
    assert places._MAX_PADDING == own_tokenizer._MAX_PADDING
