"""Everything that a results folder holds, beside what the configuration asks for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rare_neurons.checkpoints.digests import matches
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.errors import DamagedFile
from rare_neurons.origins.asked import MANIFEST, RECIPE, TOKENIZER, Asked, Key, path_of
from rare_neurons.origins.inputs import Inputs, changed_inputs
from rare_neurons.origins.parameters import differing, has_metadata
from rare_neurons.sums import check_sum
from rare_neurons.tables import read_checked, read_metadata

MISSING, DAMAGED, STALE, UNVERIFIED = "missing", "damaged", "stale", "unverified"
"""Not there; not as written; not what configuration, inputs or this version would give; nothing to check it by."""
FAULTS = (MISSING, DAMAGED, STALE)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file.

    Attributes
    ----------
    path : str
        Below the results folder.
    state : str
        `MISSING`, `DAMAGED`, `STALE` or `UNVERIFIED`.
    why : str
    """

    path: str
    state: str
    why: str


def check_tree(results: Path | str, asked: Asked, *, weights: bool = True) -> Iterator[Finding]:
    """Check every file that a configuration asks for; yields what is wrong, in the order of the pipeline.

    Parameters
    ----------
    results : Path or str
    asked : Asked
    weights : bool
        Whether local weights are read and compared with their manifests.
    """
    root = Path(results)
    inputs = Inputs(root, asked)
    for key in asked.keys:
        path = path_of(key)
        if not (root / path).is_file():
            yield Finding(path, MISSING, "no such file")
            continue
        try:
            yield from (Finding(path, state, why) for state, why in _of_file(root, asked, key, inputs, weights))
        except DamagedFile as error:
            mine = error.path == root / path
            yield Finding(path, DAMAGED if mine else STALE, error.how if mine else f"its input {error.path} is damaged")
        except FileNotFoundError as error:
            yield Finding(path, STALE, f"its input {error.filename} is missing")


def _of_file(root: Path, asked: Asked, key: Key, inputs: Inputs, weights: bool) -> Iterator[tuple[str, str]]:
    path = root / path_of(key)
    if has_metadata(key):
        if not read_checked(path)[1]:
            yield UNVERIFIED, "written by an earlier version, or by another program: its bytes have no digest"
        about = read_metadata(path)
        yield from ((STALE, why) for why in as_sentences(differing(asked, key, about)))
        yield from ((STALE, why) for why in stale_inputs(key, about, inputs))
    elif key[0] == MANIFEST:
        manifest = inputs.manifest(str(key[1]), int(key[2]))
        yield from ((STALE, why) for why in as_sentences(differing(asked, key, vars(manifest))))
        yield from _of_weights(manifest, root, asked) if weights else ()
    else:
        if not check_sum(path):
            yield UNVERIFIED, "no checksum beside it"
        if key[0] == RECIPE:
            yield from ((STALE, why) for why in _of_recipe(path, asked, key, inputs))


def stale_inputs(key: Key, about: Mapping[str, object], inputs: Inputs) -> list[str]:
    """Say which inputs of a table are others now.

    Parameters
    ----------
    key : tuple
    about : mapping
        The table's metadata.
    inputs : Inputs

    Raises
    ------
    FileNotFoundError
        If one is not there.
    """
    found = [f"{name} is another one now" for name in changed_inputs(inputs.digests(key), about)]
    if about.get("weights_sha256") and isinstance(key[-1], int):
        manifest = inputs.manifest(str(key[-2]), key[-1])
        if about["weights_sha256"] != manifest.weights_digest:
            found.append("its weights are not those of the manifest")
    return found


def as_sentences(keys: Mapping[str, tuple[object, object]]) -> list[str]:
    """Say what the file has and what is asked, for each key in which they differ."""
    return [f"{name}: {_value(there)} in the file, {_value(due)} asked" for name, (there, due) in keys.items()]


def _value(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)


def _of_weights(manifest: Manifest, root: Path, asked: Asked) -> Iterator[tuple[str, str]]:
    """Compare files with the manifest: local ones, and of the Hub's what the managed cache holds."""
    if manifest.status != "ok":
        return
    entry = asked.config["models"][manifest.model]
    if entry["source"] == "hub":
        cache = Path(str(asked.config["cache"]["folder"])) / "blobs"
        paths = {file: cache / file.key for file in manifest.files if (cache / file.key).is_file()}
    else:
        own = root / "pretrain" / manifest.model / f"step{manifest.step}"
        folder = own if entry["source"] == "pretrain" else Path(manifest.location)
        if not folder.is_dir():
            yield UNVERIFIED, f"no folder {folder} with its weights"
            return
        paths = {file: folder / file.name for file in manifest.files}
    for file, path in paths.items():
        if not path.is_file():
            yield STALE, f"{file.name} is gone"
        elif not matches(path, file):
            yield STALE, f"{file.name} at {path} does not have the sha256 of the manifest"


def _of_recipe(path: Path, asked: Asked, key: Key, inputs: Inputs) -> list[str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedFile(path, str(error)) from error
    entry = asked.config["models"][key[1]]
    due = {
        "tokens": inputs.file(("corpus/tokens", str(entry["corpus"]), str(entry["tokenizer"]))),
        "tokenizer": inputs.file((TOKENIZER, str(entry["tokenizer"]))),
    }
    changed = [f"{name} is another one now" for name, digest in due.items() if record.get(f"{name}_sha256") != digest]
    return as_sentences(differing(asked, key, record)) + changed
