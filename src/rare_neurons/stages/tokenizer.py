"""Stage `tokenizer`: the tokenizer of a corpus and of the models that share it, as one ``tokenizer.json``."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from rare_neurons.errors import RequestError
from rare_neurons.sums import write_sum
from rare_neurons.tables import atomic_path, read_table


def write_tokenizer(
    output: str, *, source: Mapping[str, object], end_of_text: str, folder: str, text: str | None = None
) -> None:
    """Train a tokenizer, or take the one of a folder or a Hub repository.

    Parameters
    ----------
    output : str
    source : mapping
        ``source: train`` with ``vocab_size``; ``source: folder`` with ``path``; ``source: hub`` with ``repo`` and
        ``revision``.
    end_of_text : str
        The token that separates documents.
    folder : str
        What a relative path is relative to.
    text : str, optional
        The text table to train on (its documents that are not held out).

    Raises
    ------
    RequestError
        If there is no ``tokenizer.json``, or it has no such end-of-text token.
    """
    if source["source"] == "train":
        tokenizer = _train(text, int(source["vocab_size"]), end_of_text)
        with atomic_path(output) as temporary:
            tokenizer.save(str(temporary))
        write_sum(output)
        return
    path = _hub_file(source) if source["source"] == "hub" else Path(folder) / str(source["path"]) / "tokenizer.json"
    if not path.is_file():
        raise RequestError(f"no tokenizer at {path}; `path` names a folder that holds a tokenizer.json")
    if Tokenizer.from_file(str(path)).token_to_id(end_of_text) is None:
        raise RequestError(f"the tokenizer at {path} has no token {end_of_text!r}; correct `end_of_text`")
    with atomic_path(output) as temporary:
        shutil.copyfile(path, temporary)
    write_sum(output)


def _hub_file(source: Mapping[str, object]) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(str(source["repo"]), "tokenizer.json", revision=str(source["revision"])))


def _train(text: str, vocab_size: int, end_of_text: str) -> Tokenizer:
    table = read_table(text, ["heldout", "text"])
    documents = [t for t, held in zip(*(table[c].to_pylist() for c in ("text", "heldout")), strict=True) if not held]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[end_of_text],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise RequestError(
            f"the corpus yields {tokenizer.get_vocab_size()} tokens, but vocab_size is {vocab_size}; "
            "lower it or use a larger corpus"
        )
    return tokenizer
