"""Where things are that a command was not told, or was told with a slip: the tokenizer, a folder of a like name."""

import json
import re
from difflib import get_close_matches
from pathlib import Path

from rare_neurons.errors import RequestError

END_OF_TEXT = "<|endoftext|>"
_MAX_PADDING = 1024  # ids beyond the tokenizer's, as a run allows (rare_neurons.stages.own_tokenizer)
_OTHER_ENDS = ("</s>", "<|end_of_text|>", "<eos>", "<|im_end|>", "[SEP]")


def near_folder(asked: str) -> str | None:
    """Return the folder that is called nearly so, beside the one that was asked for and is not there."""
    path = Path(asked)
    names = [one.name for one in sorted(path.parent.iterdir()) if one.is_dir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, names, n=1, cutoff=0.75)
    return str(path.parent / near[0]) if near else None


def is_repository(name: str) -> bool:
    """Whether a name is of the form of the Hub's, owner/name."""
    return re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name) is not None


def find_tokenizer(asked: str | None, checkpoint: Path | None, n_ids: object = None) -> str:
    """Return the entry of a tokenizer: the one asked for, or the first beside the checkpoints.

    Parameters
    ----------
    asked : str, optional
        A folder or Hub repository.
    checkpoint : Path, optional
        The folder to look beside.
    n_ids : int, optional
        Ids of the model; a tokenizer of another size is refused.

    Raises
    ------
    RequestError
        If there is none, saying how to make one, or it is that of another model.
    """
    places = [Path(asked)] if asked else _places(checkpoint) if checkpoint else []
    for folder in places:
        if (folder / "tokenizer.json").is_file():
            _refuse_other(folder / "tokenizer.json", n_ids)
            end = end_of_text(folder / "tokenizer.json")
            more = "" if end == END_OF_TEXT else f", end_of_text: {quoted(end)}"
            return f"source: folder, path: {quoted(str(folder))}{more}"
    if asked and not Path(asked).exists():
        near = near_folder(asked)
        if near is not None and not is_repository(asked):
            raise RequestError(f"no folder {asked}; there is {near}: name it, or owner/name of a Hub repository")
        return f"source: hub, repo: {asked}"
    looked = ", ".join(map(str, places))
    raise RequestError(
        f"no tokenizer.json in {looked}; write it with `tokenizer.save_pretrained('tokenizer')` of a fast tokenizer "
        "and name that folder, or a Hub repository that has it, with --tokenizer; or take the weights' spectra alone "
        "with --spectra"
    )


def _refuse_other(path: Path, n_ids: object) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = (record.get("model") or {}).get("vocab")
    if not vocabulary or not isinstance(n_ids, int):
        return
    tokens = set(vocabulary if isinstance(vocabulary, dict) else (token for token, _ in vocabulary))
    n_tokens = len(tokens | {one["content"] for one in record.get("added_tokens") or ()})
    if not n_tokens <= n_ids < n_tokens + _MAX_PADDING:
        raise RequestError(
            f"the tokenizer {path} has {n_tokens:,} tokens, but the model's config.json says vocab_size {n_ids:,} "
            f"(with padding, {n_tokens:,} to {n_tokens + _MAX_PADDING - 1:,} would fit); name the model's own with "
            "--tokenizer"
        )


def _places(checkpoint: Path) -> list[Path]:
    run = checkpoint.parent
    return [checkpoint, run, run / "tokenizer", run.parent / "tokenizer", Path("tokenizer")]


def end_of_text(path: Path) -> str:
    """Return the token between documents: the usual one of those that a tokenizer has, or its only special one.

    Raises
    ------
    RequestError
        If it has none that is known.
    """
    record = json.loads(path.read_text(encoding="utf-8"))
    special = [str(one["content"]) for one in record.get("added_tokens") or () if one.get("special")]
    for token in (END_OF_TEXT, *_OTHER_ENDS, *(special if len(special) == 1 else ())):
        if token in special:
            return token
    raise RequestError(
        f"the tokenizer {path} has no known end-of-text token among its special ones "
        f"({', '.join(special[:8]) or 'none'}); write `end_of_text` of the tokenizer by hand"
    )


def quoted(text: str) -> str:
    """Return a text as YAML has it."""
    return json.dumps(text, ensure_ascii=False) if re.search(r"[^\w./-]", text) else text
