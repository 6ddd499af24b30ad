"""Stage `resolve`: from a model and a step to a manifest."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from rare_neurons.checkpoints.listed import take_listed
from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.sources import Source, resolve
from rare_neurons.errors import RequestError
from rare_neurons.stages.cache import cache_place
from rare_neurons.sums import check_sum

if TYPE_CHECKING:
    from rare_neurons.checkpoints.retry import Network


def source_of(model: Mapping[str, object], pretrained: str) -> Source:
    """Return where the checkpoints of a model of the configuration are.

    Parameters
    ----------
    model : mapping
        An entry of ``models``.
    pretrained : str
        Folder of the checkpoints of a model that is trained here.
    """
    if model["source"] == "hub":
        return Source("hub", str(model["repo"]), revision=str(model["revision"]))
    return Source("folder", f"{pretrained}/step{{step}}" if model["source"] == "pretrain" else str(model["path"]))


def write_resolved(
    output: str, *, model: str, step: int, source: Source, tokenizer: str, cache: Mapping[str, object]
) -> None:
    """Write the manifest of one checkpoint; a checkpoint that is not there or not whole gets a status and a reason.

    What the plan at the start of the run listed is taken from there.

    Raises
    ------
    RequestError
        If a local checkpoint carries another tokenizer than the one configured; a fetched one is checked when it is
        opened.
    """
    listed = take_listed(listing_folder(cache), model, step, source) if source.kind == "hub" else None
    manifest = listed or resolve(model, step, source, network=metadata_patience() if source.kind == "hub" else None)
    if source.kind == "folder":
        check_tokenizer(source.folder(step), Path(tokenizer), f"{model}, step {step}")
    write_manifest(manifest, Path(output))


def write_all_resolved(outputs: Sequence[str], *, model: str, steps: Sequence[int], **about: object) -> None:
    """Write the manifests of several checkpoints; `about` as for `write_resolved`.

    Raises
    ------
    RequestError
        After all of them: of the first that does not fit the request.
    """
    refused = []
    for output, step in zip(outputs, steps, strict=True):
        try:
            write_resolved(output, model=model, step=step, **about)
        except RequestError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def listing_folder(cache: Mapping[str, object]) -> Path:
    """Where the plan keeps manifests for the jobs of a run, in the managed cache."""
    return cache_place(cache)["cache_dir"] / "listed"


def metadata_patience() -> "Network":
    """Patience with metadata: without a network the answer comes within seconds."""
    from rare_neurons.checkpoints.retry import Network

    return Network(connect_attempts=2)


def check_tokenizer(folder: Path, tokenizer: Path, subject: str) -> None:
    """Refuse a checkpoint that carries another tokenizer than the panel's.

    Raises
    ------
    RequestError
        Naming how they differ.
    """
    own = folder / "tokenizer.json"
    if not own.is_file():
        return
    check_sum(tokenizer)
    theirs, ours = (Tokenizer.from_file(str(path)) for path in (own, tokenizer))
    if theirs.get_vocab() != ours.get_vocab():
        known = ours.get_vocab()
        differing = sum(known.get(token) != index for token, index in theirs.get_vocab().items())
        how = f"{theirs.get_vocab_size()} tokens against {ours.get_vocab_size()}, {differing} of them with another id"
    elif _merges(theirs) != _merges(ours):
        how = "the same tokens, but other merges"
    else:
        return
    raise RequestError(
        f"the tokenizer of the checkpoint does not fit the panel's: {how} ({subject}); "
        "name the model's own tokenizer in the configuration"
    )


def _merges(tokenizer: Tokenizer) -> object:
    return json.loads(tokenizer.to_str())["model"].get("merges")
