"""The tokenizer that a checkpoint carries beside the panel's: the same, another, or none.

Both are compared as JSON: a checkpoint's file is data, and is never given to a tokenizer's own reader.
"""

from collections.abc import Mapping
from pathlib import Path

from rare_neurons.checkpoints.digests import file_sha256
from rare_neurons.checkpoints.files import JsonBounds, check_regular, read_config, read_json
from rare_neurons.errors import DataFault, RequestError, shown
from rare_neurons.sums import check_sum

_FILE = "tokenizer.json"
_MAX_BYTES = 2**26
_SPREAD = 8  # how much longer the same tokenizer may be written: indented, its merges as lists
_SLACK = 2**16
_MAX_PADDING = 1024  # ids beyond the tokenizer's: vocabularies are padded to multiples of up to that
_DEPTH = 12
_STEPS = ("normalizer", "pre_tokenizer")
# Settings that change no id, and those that later versions of the library write out.
_NO_MATTER = {"trim_offsets"}
_DEFAULTS = {"use_regex": True, "prepend_scheme": "always", "split": True}
_OFF = (None, False, "")
Record = Mapping[str, object]


def compare_tokenizer(folder: Path, tokenizer: Path, subject: str) -> str:
    """Say how a checkpoint's tokenizer stands to the panel's, in a few words.

    Parameters
    ----------
    folder : Path
        The checkpoint's.
    tokenizer : Path
        ``tokenizer.json`` of the panel.
    subject : str
        Model and step, for the message.

    Raises
    ------
    RequestError
        If tokens, ids or merges differ, or, without a tokenizer, the size of the vocabulary: naming how.
    DataFault
        If the checkpoint's file cannot be read as a tokenizer.
    """
    check_sum(tokenizer)
    own = folder / _FILE
    if not own.is_symlink() and not own.exists():
        return _without(folder, tokenizer, subject)
    check_regular(own)
    if own.stat().st_size == tokenizer.stat().st_size and file_sha256(own) == file_sha256(tokenizer):
        return "that of the panel"
    ours, theirs = _read(tokenizer, _bounds(tokenizer)), _read(own, _bounds(tokenizer))
    how = _difference(ours, theirs)
    if how is not None:
        raise _refusal(how, subject)
    for step in _STEPS:
        if _plain(ours.get(step)) != _plain(theirs.get(step)):
            return f"another {step} than the panel's: {shown(theirs.get(step))}, the panel's {shown(ours.get(step))}"
    if _options(ours) != _options(theirs):
        return f"other options of its model: {shown(_options(theirs))}, the panel's {shown(_options(ours))}"
    return "that of the panel, written otherwise"


def _without(folder: Path, tokenizer: Path, subject: str) -> str:
    """Judge by the size of the vocabulary alone."""
    n_ours, n_model = len(_vocabulary(_read(tokenizer, _bounds(tokenizer)))), read_config(folder).get("vocab_size")
    if type(n_model) is not int:
        return f"none: {_FILE} is not there, and config.json names no vocab_size"
    if not n_ours <= n_model < n_ours + _MAX_PADDING:
        raise _refusal(f"it carries none, and its vocabulary has {n_model} ids against {n_ours}", subject)
    return f"none: {_FILE} is not there; {n_model} ids of the model are taken for the {n_ours} of the panel's"


def _refusal(how: str, subject: str) -> RequestError:
    return RequestError(
        f"the tokenizer of the checkpoint does not fit the panel's: {how} ({subject}); "
        "name the model's own tokenizer in the configuration"
    )


def _bounds(tokenizer: Path) -> JsonBounds:
    """Bounds by the panel's own tokenizer, which the checkpoint's should be."""
    text = tokenizer.read_bytes()
    n_values = sum(map(text.count, (b",", b"[", b"{")))
    n_bytes = min(_MAX_BYTES, _SPREAD * len(text) + _SLACK)
    return JsonBounds(n_bytes, 4 * n_values + _SLACK, depth=_DEPTH, unique=False)


def _read(path: Path, bounds: JsonBounds) -> Record:
    record = read_json(path, bounds)
    try:
        _vocabulary(record)
        _merges(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataFault(f"{path.name} of {path.parent.name} is no tokenizer ({shown(str(error))})") from error
    return record


def _vocabulary(record: Record) -> dict[str, int]:
    """Id of every token, added ones included."""
    stored = record["model"]["vocab"]
    # A Unigram model lists tokens with their scores in the order of their ids.
    found = dict(stored) if isinstance(stored, dict) else {token: i for i, (token, _score) in enumerate(stored)}
    found |= {added["content"]: added["id"] for added in record.get("added_tokens") or ()}
    if not all(type(index) is int for index in found.values()):
        raise TypeError("an id that is no whole number")
    return found


def _merges(record: Record) -> list[str]:
    """Pairs in their order; older files join the two by a blank, newer ones list them."""
    return [pair if isinstance(pair, str) else " ".join(pair) for pair in record["model"].get("merges") or ()]


def _difference(ours: Record, theirs: Record) -> str | None:
    known, found = _vocabulary(ours), _vocabulary(theirs)
    if known != found:
        differing = sum(known.get(token) != index for token, index in found.items())
        return f"{len(found)} tokens against {len(known)}, {differing} of them with another id"
    if _merges(ours) != _merges(theirs):
        return "the same tokens, but other merges"
    kinds = [shown(record["model"].get("type", "BPE")) for record in (theirs, ours)]
    return None if kinds[0] == kinds[1] else f"the same tokens, but a {kinds[0]} model against a {kinds[1]}"


def _options(record: Record) -> Record:
    """Return the settings of the model that are not what they are when left out."""
    return {k: v for k, v in record["model"].items() if k not in ("vocab", "merges", "type") and v not in _OFF}


def _plain(value: object) -> object:
    """Drop what does not change ids, so that two ways of writing the same are equal."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        kept = {key: _plain(item) for key, item in value.items() if key not in _NO_MATTER}
        return {key: item for key, item in kept.items() if item != _DEFAULTS.get(key, ())}
    return value
