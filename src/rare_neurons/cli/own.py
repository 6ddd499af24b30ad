"""A configuration for a model of one's own, from what lies in its folder or on the Hub."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from rare_neurons.checkpoints.files import read_config
from rare_neurons.cli.hub_model import hub_checkpoints
from rare_neurons.cli.places import find_tokenizer, is_repository, near_folder, quoted
from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import FAMILIES, family_of
from rare_neurons.house import file_of_house

TOUR = "config/tour.yaml"
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,17})(?=\D*$)")
_CONTEXT, _CONTEXTS = 128, 1024
_DOCUMENTS = 36  # three for each fold of a panel
_LEAST_PIECE, _MOST_PIECE = 500, 4000  # characters: one context at least, some four
_TEXTS = ("texts/*.txt", "*.txt")


@dataclass(frozen=True)
class Wanted:
    """What `init` was asked for: a folder or Hub repository (None: the tour), texts, a tokenizer; or spectra alone."""

    model: str | None
    texts: tuple[str, ...] = ()
    tokenizer: str | None = None
    spectra: bool = False


def written_config(wanted: Wanted) -> str:
    """Return a configuration as text.

    Raises
    ------
    RequestError
        If there are no checkpoints, no tokenizer or no texts: naming what was looked for and how to make it.
    """
    if wanted.model is None:
        return file_of_house(TOUR).read_text(encoding="utf-8")
    if "{step}" in wanted.model or Path(wanted.model).is_dir():
        return _of_folder(wanted)
    near = near_folder(wanted.model)
    there = f"; there is {near}" if near else ""
    if is_repository(wanted.model):
        try:
            return _of_hub(wanted)
        except RequestError as error:
            raise RequestError(f"{error}{there}") from None
    raise RequestError(f"no folder {wanted.model}{there}; name a folder of checkpoints, or owner/name of a Hub model")


def _of_folder(wanted: Wanted) -> str:
    pattern, steps = find_checkpoints(str(wanted.model))
    last = Path(pattern.replace("{step}", str(steps[-1])))
    config = read_own_config(last)
    name = _name(Path(pattern).parent.name)
    heading = f"{len(steps)} checkpoints, steps {steps[0]} to {steps[-1]}, of family {config['model_type']}"
    if wanted.spectra:
        return _of_weights(heading, name, f"source: folder, path: {quoted(pattern)}, steps: found")
    entry = f"source: folder, path: {quoted(pattern)}, tokenizer: {name}, steps: found"
    tokens = tokens_per_step(last)
    entry += f", tokens_per_step: {tokens}" if tokens else ""
    tokenizer = find_tokenizer(wanted.tokenizer, last, config.get("vocab_size"))
    return _text(heading, name, entry, (tokenizer, _texts(wanted.texts)), context_of(config))


def _of_hub(wanted: Wanted) -> str:
    found = hub_checkpoints(str(wanted.model))
    name = _name(str(wanted.model).split("/")[1])
    heading = f"{len(found.steps)} checkpoints on the Hub, steps {found.steps[0]} to {found.steps[-1]}"
    entry = f"source: hub, repo: {wanted.model}, revision: {quoted(found.revision)}, steps: {list(found.steps)}"
    if wanted.spectra:
        return _of_weights(heading, name, entry)
    entry += f", tokenizer: {name}"
    entry += f", n_neurons: {found.n_neurons}" if found.n_neurons else ""
    tokenizer = find_tokenizer(wanted.tokenizer or str(wanted.model), None, found.config.get("vocab_size"))
    return _text(heading, name, entry, (tokenizer, _texts(wanted.texts)), context_of(found.config))


def _of_weights(heading: str, name: str, entry: str) -> str:
    return f"""\
# {heading}; spectra alone, which need neither text nor tokenizer.
# Every key: config/README.md.
targets: [spectra]
models:
  {name}: {{{entry}}}
"""


def _text(heading: str, name: str, entry: str, beside: tuple[str, Sequence[str]], context: int) -> str:
    tokenizer, texts = beside
    length = "" if context == _CONTEXT else f", context_length: {context}"
    paths = ", ".join(map(quoted, texts))
    pieces = _pieces(texts)
    return f"""\
# {heading}.
# Every key: config/README.md. Runs of one recipe: an entry each under models, with the same `subject`.
corpora:
  texts: {{source: text, paths: [{paths}]{pieces}}}
tokenizers:
  {name}: {{{tokenizer}}}
models:
  {name}: {{{entry}}}
panels:
  heldout: {{corpus: texts, tokenizer: {name}, max_contexts: {_CONTEXTS}, targets_per_stratum: found{length}}}
"""


def find_checkpoints(where: str) -> tuple[str, tuple[int, ...]]:
    """Return a pattern with ``{step}`` and the steps of the folders that fit it: the pattern that most folders fit.

    Raises
    ------
    RequestError
        If there is none, saying what is there instead.
    """
    if "{step}" in where:
        folder, wanted = Path(where).parent, Path(where).name
    else:
        folder, wanted = Path(where), None
    found: dict[str, list[int]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _NUMBER.search(path.name)
        if match and (path / "config.json").is_file():
            pattern = f"{path.name[: match.start()]}{{step}}{path.name[match.end() :]}"
            found.setdefault(pattern, []).append(int(match[1]))
    if wanted is not None:
        found = {pattern: steps for pattern, steps in found.items() if pattern == wanted}
    if not found:
        if (folder / "config.json").is_file():
            raise RequestError(
                f"{folder} is a single checkpoint; a timeline needs several, one folder each: name the folder "
                "above them (the Trainer writes checkpoint-500, checkpoint-1000, … with save_steps=500)"
            )
        raise RequestError(
            f"no checkpoints in {folder}: folders whose name ends in a step and that hold a config.json, such as "
            f"checkpoint-500 or step500 (model.save_pretrained writes them){_below(folder)}"
        )
    best = max(found, key=lambda pattern: len(found[pattern]))
    if len(found[best]) == 1:
        raise RequestError(
            f"{folder} holds a single checkpoint, {best.replace('{step}', str(found[best][0]))}; a timeline needs "
            "several: save more often (save_steps of the Trainer), or name another folder"
        )
    return str(folder / best), tuple(sorted(found[best]))


def _below(folder: Path) -> str:
    """Say what there is instead, to end a sentence: checkpoints one floor down, or weights without their shape."""
    runs = sorted({str(at.parent.parent) for at in folder.glob("*/*/config.json") if _NUMBER.search(at.parent.name)})
    if runs:
        return f"; they are in {', '.join(runs[:5])}: name one of these"
    bare = sorted(str(at.parent) for kind in ("*.safetensors", "*.bin") for at in folder.glob(f"*/{kind}"))
    return f"; {bare[0]} has weights alone: model.config.save_pretrained writes its config.json" if bare else ""


def read_own_config(folder: Path) -> Mapping[str, object]:
    """Return a checkpoint's `config.json`, of a family that can be measured.

    Raises
    ------
    RequestError
        If there is none, or of no known family.
    """
    try:
        config = read_config(folder)
        family_of(config)
    except DataFault as error:
        raise RequestError(f"{error}; known families: {', '.join(FAMILIES)}") from None
    return config


def context_of(config: Mapping[str, object]) -> int:
    """Tokens in a context: 128, or as many as the model has positions."""
    limit = config.get(family_of(config).positions_key)
    return min(_CONTEXT, limit) if isinstance(limit, int) and limit > 1 else _CONTEXT


def tokens_per_step(folder: Path) -> int | None:
    """Training tokens of a step, where the Trainer has counted them (``include_num_input_tokens_seen``)."""
    path = folder / "trainer_state.json"
    if not path.is_file():
        return None
    state = json.loads(path.read_text(encoding="utf-8"))
    seen, step = state.get("num_input_tokens_seen"), state.get("global_step")
    return round(seen / step) if isinstance(seen, int) and seen and isinstance(step, int) and step else None


def _texts(asked: Sequence[str]) -> Sequence[str]:
    found = list(asked) or [pattern for pattern in _TEXTS if _matching(pattern)][:1]
    if not found:
        raise RequestError(
            f"no text for the panel: name files that the model has not seen with --text 'folder/*.txt' (a dozen "
            f"documents at least, one per file; looked for {' and '.join(_TEXTS)}), or take the weights' spectra alone "
            "with --spectra"
        )
    return found


def _matching(pattern: str) -> list[Path]:
    return [Path(path) for path in glob(pattern, recursive=True) if Path(path).is_file()]


def _pieces(patterns: Sequence[str]) -> str:
    """Cut files into pieces where there are too few of them to be the documents of a panel."""
    files = [path for pattern in patterns for path in _matching(pattern)]
    if not files:
        raise RequestError(f"no file matches {', '.join(patterns)}; name texts with --text")
    if len(files) >= _DOCUMENTS:
        return ""
    total = sum(path.stat().st_size for path in files)
    if total < 2 * _DOCUMENTS * _LEAST_PIECE:
        raise RequestError(
            f"{len(files)} text files of {total:,} bytes in all are too little for a panel: at least "
            f"{2 * _DOCUMENTS * _LEAST_PIECE:,} bytes are needed; name more with --text"
        )
    size = total // (2 * _DOCUMENTS)
    return f", piece_characters: {min(size, _MOST_PIECE)}"


def _name(text: str) -> str:
    """Return a name that a configuration allows."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return plain or "my-model"
