import pytest
from tokenizers import Tokenizer

from rare_neurons.errors import RequestError
from rare_neurons.stages.text import write_text
from rare_neurons.stages.tokenizer import write_tokenizer

END = "<|endoftext|>"


@pytest.fixture
def made(tmp_path):
    """A text table of one document."""
    (tmp_path / "a.txt").write_text("the cat and the dog, a house with mice. " * 30)
    source = {"source": "text", "paths": ["a.txt"]}
    write_text(str(tmp_path / "text.parquet"), corpus="x", source=source, heldout={}, folder=str(tmp_path))
    return tmp_path


def trained(folder, size=270, name="tokenizer.json"):
    settings = {"source": "train", "vocab_size": size}
    text = str(folder / "text.parquet")
    write_tokenizer(str(folder / name), source=settings, end_of_text=END, folder=str(folder), text=text)
    return Tokenizer.from_file(str(folder / name))


def test_a_trained_tokenizer_has_the_asked_size_and_gives_text_back(made):
    codec = trained(made)
    assert codec.get_vocab_size() == 270
    assert codec.token_to_id(END) is not None
    ids = codec.encode("the cat\n and ü").ids
    assert codec.decode(ids) == "the cat\n and ü"
    assert len(ids) < len("the cat\n and ü".encode())


def test_equal_text_gives_equal_bytes(made):
    trained(made, name="one.json")
    trained(made, name="two.json")
    assert (made / "one.json").read_bytes() == (made / "two.json").read_bytes()


def test_a_folders_tokenizer_is_copied(made):
    trained(made)
    (made / "own").mkdir()
    (made / "tokenizer.json").rename(made / "own/tokenizer.json")
    source = {"source": "folder", "path": "own"}
    write_tokenizer(str(made / "copy.json"), source=source, end_of_text=END, folder=str(made))
    assert (made / "copy.json").read_bytes() == (made / "own/tokenizer.json").read_bytes()


def test_a_vocabulary_that_the_corpus_cannot_fill_is_refused(made):
    with pytest.raises(RequestError, match=r"the corpus yields \d+ tokens, but vocab_size is 5000"):
        write_tokenizer(
            str(made / "t.json"),
            source={"source": "train", "vocab_size": 5000},
            end_of_text=END,
            folder=str(made),
            text=str(made / "text.parquet"),
        )


def test_a_folder_without_tokenizer_or_end_of_text_is_refused(made):
    trained(made)
    source = {"source": "folder", "path": "nowhere"}
    with pytest.raises(RequestError, match=r"no tokenizer at .*nowhere/tokenizer.json"):
        write_tokenizer(str(made / "t.json"), source=source, end_of_text=END, folder=str(made))
    with pytest.raises(RequestError, match="has no token '<s>'; correct `end_of_text`"):
        write_tokenizer(
            str(made / "t.json"), source={"source": "folder", "path": "."}, end_of_text="<s>", folder=str(made)
        )
