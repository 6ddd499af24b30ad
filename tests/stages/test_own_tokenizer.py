"""What a checkpoint's tokenizer is called beside the panel's."""

import json
import re

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.stages.own_tokenizer import compare_tokenizer


@pytest.fixture
def own(tmp_path):
    """Folder of a checkpoint."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture
def ours(tmp_path):
    return train(tmp_path / "tokenizer.json")


def train(path, text="the cat and the dog", pre_tokenizer=None):
    codec = Tokenizer(models.BPE())
    codec.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    codec.train_from_iterator([text], trainers.BpeTrainer(vocab_size=30, show_progress=False))
    codec.save(str(path))
    return path


def edit(source, target, change):
    record = json.loads(source.read_text())
    change(record)
    target.write_text(json.dumps(record, indent=2))


def compared(own, ours):
    return compare_tokenizer(own, ours, "m, step 0")


def test_the_same_file_and_the_same_tokenizer_written_otherwise(own, ours):
    train(own / "tokenizer.json")
    assert compared(own, ours) == "that of the panel"

    def rewrite(record):
        record["model"]["merges"] = [" ".join(pair) for pair in record["model"]["merges"]]
        assert record["pre_tokenizer"].pop("use_regex") is True
        record["pre_tokenizer"]["trim_offsets"] = not record["pre_tokenizer"]["trim_offsets"]
        record["model"].pop("byte_fallback")

    edit(ours, own / "tokenizer.json", rewrite)
    assert compared(own, ours) == "that of the panel, written otherwise"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["pre_tokenizer"].update(add_prefix_space=True), "another pre_tokenizer than the panel's"),
        (lambda r: r.update(pre_tokenizer=None), "another pre_tokenizer than the panel's: None"),
        (lambda r: r.update(normalizer={"type": "NFKC"}), "another normalizer than the panel's"),
        (lambda r: r["model"].update(byte_fallback=True), "other options of its model: {'byte_fallback': True}"),
    ],
)
def test_what_cuts_text_otherwise_is_said(own, ours, change, said):
    edit(ours, own / "tokenizer.json", change)
    assert compared(own, ours).startswith(said)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda r: r["model"]["vocab"].pop("the"), r"\d+ tokens against \d+, 0 of them with another id"),
        (lambda r: r["added_tokens"].append({"content": "new", "id": 99}), r"1 of them with another id"),
        (lambda r: r["model"]["merges"].reverse(), "the same tokens, but other merges"),
        (lambda r: r["model"].update(type="WordLevel"), "but a 'WordLevel' model against a 'BPE'"),
    ],
)
def test_other_tokens_or_merges_are_refused(own, ours, change, how):
    edit(ours, own / "tokenizer.json", change)
    with pytest.raises(RequestError, match=rf"does not fit the panel's: .*{how}.* \(m, step 0\); name the model's own"):
        compared(own, ours)


def test_tokens_of_a_unigram_model_are_in_the_order_of_their_ids(own, ours):
    edit(ours, ours, lambda r: r["model"].update(type="Unigram", vocab=[["a", 0.0], ["b", -1.0]], merges=None))
    edit(ours, own / "tokenizer.json", lambda r: r["model"]["vocab"].reverse())
    with pytest.raises(RequestError, match="2 tokens against 2, 2 of them with another id"):
        compared(own, ours)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, r"^none: tokenizer\.json is not there, and config\.json names no vocab_size$"),
        ({"vocab_size": 64}, r"^none: tokenizer\.json is not there; 64 ids of the model are taken for the \d+ of"),
    ],
)
def test_a_checkpoint_without_one_says_so(own, ours, config, said):
    (own / "config.json").write_text(json.dumps(config))
    assert re.search(said, compared(own, ours))


@pytest.mark.parametrize("size", [3, 50_304])
def test_without_one_a_vocabulary_of_another_size_is_refused(own, ours, size):
    (own / "config.json").write_text(json.dumps({"vocab_size": size}))
    with pytest.raises(RequestError, match=rf"it carries none, and its vocabulary has {size} ids against \d+"):
        compared(own, ours)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"model": {}}',
        '{"model": {"vocab": 3}}',
        '{"model": {"vocab": {"a": "b"}}}',
        '{"model": {"vocab": {"a": 1}, "merges": [5]}}',
        '{"model": {"vocab": {"a": 1}}, "added_tokens": [1]}',
        "[" * 100_000,
        '{"model": {"vocab": {' + ",".join(f'"{i}": {i}' for i in range(200_000)) + "}}}",
    ],
    ids=lambda text: f"{text[:24]}, {len(text)} bytes",
)
def test_what_is_no_tokenizer_is_a_fault_of_the_data(own, ours, text):
    (own / "tokenizer.json").write_text(text)
    with pytest.raises(DataFault, match=r"tokenizer\.json of own (is no|has more)"):
        compared(own, ours)
