"""Which files of a checkpoint are needed: weights (safetensors before `.bin`), configuration, tokenizer."""

import re
from collections.abc import Iterable

_WEIGHTS = re.compile(r"(?P<stem>model|pytorch_model)(-(?P<part>\d+)-of-(?P<parts>\d+))?\.(?P<kind>safetensors|bin)")
_INDEX = {"safetensors": "model.safetensors.index.json", "bin": "pytorch_model.bin.index.json"}
_SIDE_FILES = frozenset(
    {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokenizer.model",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "merges.txt",
    }
)


def is_weight_file(name: str) -> bool:
    """Whether a file holds weights (``training_args.bin`` and ``optimizer.pt`` do not)."""
    return _WEIGHTS.fullmatch(name) is not None


def weight_format(names: Iterable[str]) -> str | None:
    """``"safetensors"``, ``"bin"``, or None without weights; safetensors wins where both are there."""
    kinds = {match["kind"] for match in map(_WEIGHTS.fullmatch, names) if match}
    return "safetensors" if "safetensors" in kinds else "bin" if kinds else None


def needed_files(names: Iterable[str]) -> tuple[str, ...]:
    """Names to fetch and read, sorted: one format's weights with its index, configuration and tokenizer."""
    names = set(names)
    kind = weight_format(names)
    if kind is None:
        return tuple(sorted(names & _SIDE_FILES))
    matches = [match for match in map(_WEIGHTS.fullmatch, names) if match and match["kind"] == kind]
    whole = [match for match in matches if match["part"] is None]
    weights = {match[0] for match in (whole or matches)}
    index = set() if whole else names & {_INDEX[kind]}
    return tuple(sorted(weights | index | (names & _SIDE_FILES)))


def absent_shards(names: Iterable[str]) -> tuple[str, ...]:
    """Shards that the numbering ``-00001-of-00003`` promises and that are not there."""
    names = set(names)
    expected = set()
    for match in filter(None, map(_WEIGHTS.fullmatch, names)):
        if match["part"] is not None:
            width = len(match["part"])
            for part in range(1, int(match["parts"]) + 1):
                expected.add(f"{match['stem']}-{part:0{width}d}-of-{match['parts']}.{match['kind']}")
    return tuple(sorted(expected - names))
