"""Which files of a checkpoint are needed: weights (safetensors before `.bin`), configuration, tokenizer."""

import re
from collections.abc import Iterable

_WEIGHTS = re.compile(
    r"(?P<stem>model|pytorch_model)(-(?P<part>[0-9]{1,9})-of-(?P<parts>[0-9]{1,9}))?\.(?P<kind>safetensors|bin)"
)
MAX_SHARDS = 4096
"""Files that one checkpoint's weights may be cut into; public ones reach 200."""
_MAX_SERIES = 4  # both formats, each beside the rest of an earlier numbering
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


def what_is_absent(names: Iterable[str]) -> str | None:
    """Say which shards the numbering ``-00001-of-00003`` promises that are not there; None where all are."""
    names = set(names)
    series = {}
    for match in filter(None, map(_WEIGHTS.fullmatch, sorted(names))):
        if match["part"] is not None:
            series[match["stem"], len(match["part"]), match["parts"], match["kind"]] = match
    for match in series.values():
        if int(match["parts"]) > MAX_SHARDS:
            return f"names {int(match['parts'])} shards ({match[0]}), at most {MAX_SHARDS} are read"
    if len(series) > _MAX_SERIES:
        return f"numbers its shards in {len(series)} ways"
    expected = {name for match in series.values() for name in _series(match)}
    absent = sorted(expected - names)
    if not absent:
        return None
    return f"lacks {len(absent)} of its shards: {', '.join(absent[:5])}{', …' if len(absent) > 5 else ''}"


def _series(match: re.Match[str]) -> set[str]:
    """Names of the shards of which a file says to be one."""
    width, tail = len(match["part"]), f"of-{match['parts']}.{match['kind']}"
    return {f"{match['stem']}-{part:0{width}d}-{tail}" for part in range(1, int(match["parts"]) + 1)}
