"""Token ids as words: the tokenizer that a panel was cut with, found in its results tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rare_neurons.sums import check_sum
from rare_neurons.tables import file_sha256, find_tables, read_metadata

Words = Callable[[Sequence[int]], str]


def words_of(results: str | Path, panel: str | None) -> Words:
    """Return a function from token ids to text; to the ids themselves where the tokenizer is not in the tree."""
    path = tokenizer_of(results, panel)
    if path is None:
        return lambda ids: " ".join(f"#{one}" for one in ids)
    from tokenizers import Tokenizer  # of the extra `run`

    check_sum(path)
    codec = Tokenizer.from_file(str(path))
    return lambda ids: codec.decode(list(ids), skip_special_tokens=False)


def tokenizer_of(results: str | Path, panel: str | None) -> Path | None:
    """Find the tokenizer of a panel: that of the tokens which its contexts were cut from."""
    contexts = find_tables(results, "panel/contexts").get(("panel/contexts", panel))
    if contexts is None:
        return None
    digest = read_metadata(contexts).get("inputs", {}).get("tokens")
    for (_, _, tokenizer), tokens in find_tables(results, "corpus/tokens").items():
        path = Path(results) / f"tokenizer/{tokenizer}/tokenizer.json"
        if path.is_file() and file_sha256(tokens) == digest:
            return path
    return None
