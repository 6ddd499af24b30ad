"""Digests of what each file was made from, as they are now, beside those that the file names."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rare_neurons.catalogue import JUDGED_ACTIVITY, METRICS
from rare_neurons.checkpoints.manifest import Manifest, read_manifest
from rare_neurons.origins.asked import MANIFEST, TOKENIZER, Asked, Key, path_of
from rare_neurons.origins.parameters import rule_of
from rare_neurons.tables import digest_of, file_sha256, read_metadata

Digests = Mapping[str, str]


class Inputs:
    """Inputs of a tree's files, each read once.

    Parameters
    ----------
    results : Path
    asked : Asked
    """

    def __init__(self, results: Path, asked: Asked) -> None:
        self._results, self._asked = results, asked
        self._known: dict[Key, str] = {}
        self._manifests: dict[Key, Manifest] = {}

    def digests(self, key: Key) -> Digests:
        """Digest of every input of a table, by the name that its metadata give it.

        Raises
        ------
        FileNotFoundError
            If an input is not there.
        """
        return _INPUTS.get(rule_of(key), _of_metric)(self, self._asked, key)

    def file(self, key: Key) -> str:
        """Digest of one file."""
        if key not in self._known:
            self._known[key] = file_sha256(self._results / path_of(key))
        return self._known[key]

    def files(self, keys: Sequence[Key]) -> str:
        """Digest of several files, in their order."""
        return digest_of([self.file(key) for key in keys])

    def manifest(self, model: str, step: int) -> Manifest:
        """One checkpoint's manifest."""
        key = (MANIFEST, model, step)
        if key not in self._manifests:
            self._manifests[key] = read_manifest(self._results / path_of(key))
        return self._manifests[key]

    def about(self, key: Key) -> Mapping[str, object]:
        """Metadata of a table."""
        return read_metadata(self._results / path_of(key))


def changed_inputs(due: Digests, about: Mapping[str, object]) -> list[str]:
    """List the inputs that are others now; all of them where a file of an earlier version has only their digest."""
    if about.get("inputs_sha256") == digest_of(due):
        return []
    named = about.get("inputs")
    if not isinstance(named, Mapping):
        return list(due)
    return [name for name in (*due, *(n for n in named if n not in due)) if due.get(name) != named.get(name)]


def _corpus(found: Inputs, asked: Asked, key: Key) -> Digests:
    _, corpus, tokenizer = key
    digests = {
        "corpus": str(found.about(("text", corpus))["corpus_sha256"]),
        "tokenizer": found.file((TOKENIZER, tokenizer)),
    }
    counts = asked.config["corpora"][corpus].get("unigram_counts")
    return digests if counts is None else {**digests, "counts": file_sha256(str(counts))}


def _corpus_of(asked: Asked, panel: str) -> tuple[str, str]:
    entry = asked.config["panels"][panel]
    return str(entry["corpus"]), str(entry["tokenizer"])


def _panel(found: Inputs, asked: Asked, key: Key) -> Digests:
    where = _corpus_of(asked, str(key[1]))
    return {name: found.file((f"corpus/{name}", *where)) for name in ("tokens", "unigram")}


def _probe(found: Inputs, asked: Asked, key: Key) -> Digests:
    _, panel, model, step = key
    drawn = {name: found.file((f"panel/{name}", panel)) for name in ("contexts", "targets")}
    unigram = found.file(("corpus/unigram", *_corpus_of(asked, str(panel))))
    return {"manifest": found.manifest(str(model), int(step)).digest, **drawn, "unigram": unigram}


def _allocation(found: Inputs, asked: Asked, key: Key) -> Digests:
    name, panel, model, interval = key
    before, after = str(interval).split("-")
    digests = dict(_probe(found, asked, (name, panel, model, int(after))))
    digests["manifest_before"] = found.manifest(str(model), int(before)).digest
    between = asked.between(str(model), str(interval))
    if between is not None:
        digests["manifest_between"] = found.manifest(str(model), between).digest
    return digests


def _activity(found: Inputs, asked: Asked, key: Key) -> Digests:
    return {**_probe(found, asked, key), **_set_spectra(found, asked, key)}


def _layer_evidence(found: Inputs, asked: Asked, key: Key) -> Digests:
    judged = asked.judged(str(key[1]))
    shards = [one for model in judged for one in asked.of_checkpoints("layer_audit", model)]
    return {"shards": found.files(shards), "integrity": found.files([("integrity", model) for model in judged])}


def _activity_evidence(found: Inputs, asked: Asked, key: Key) -> Digests:
    judged = asked.judged(str(key[1]))
    shards = [one for model in judged for table in JUDGED_ACTIVITY for one in asked.of_checkpoints(table, model)]
    return {"shards": found.files(shards), "integrity": found.files([("integrity", model) for model in judged])}


def _spectra(found: Inputs, _: Asked, key: Key) -> Digests:
    return {"manifest": found.manifest(str(key[1]), int(key[2])).digest}


def _set_spectra(found: Inputs, _: Asked, key: Key) -> Digests:
    shards = {name: found.file((name, *key[1:])) for name in ("influence", "activations", "gradients")}
    return {"manifest": found.manifest(str(key[2]), int(key[3])).digest, **shards}


def _of_metric(found: Inputs, asked: Asked, key: Key) -> Digests:
    digests = {name: found.file((name, *key[1:])) for name in ("influence", "cells")}
    needed = any(one.null_tables for one in METRICS if one.name == rule_of(key))
    n = asked.n_neurons(str(key[2])) if needed else None
    return digests if n is None else {**digests, "null_tables": found.file(("null_tables", str(n)))}


def _timelines(found: Inputs, asked: Asked, key: Key) -> Digests:
    quantity, model = str(key[0]).removeprefix("timelines/"), str(key[1])
    shards = {"shards": found.files(asked.of_checkpoints(quantity, model))}
    behaviours = found.files(asked.of_checkpoints("behaviour", model))
    return {**shards, "behaviours": behaviours, "integrity": found.file(("integrity", model))}


def _lineage(found: Inputs, asked: Asked, key: Key) -> Digests:
    shards = {name: found.files(asked.of_checkpoints(name, str(key[1]))) for name in ("influence", "cells")}
    return {**shards, "integrity": found.file(("integrity", key[1]))}


def _integrity(found: Inputs, asked: Asked, key: Key) -> Digests:
    model = str(key[1])
    steps = asked.steps[model]
    own = asked.members(str(asked.config["models"][model].get("subject", model)))
    drawn = [(("panel/targets", p), ("corpus/unigram", *_corpus_of(asked, p))) for p in asked.panels_of(model)[:1]]
    shards = [
        *asked.of_checkpoints("fingerprint", model),
        *asked.of_checkpoints("behaviour", model)[: len(steps)],
        *(("fingerprint", other, 0) for other in own if other != model and 0 in asked.steps[other]),
        *(key for keys in drawn for key in keys),
    ]
    manifests = digest_of([found.manifest(model, step).digest for step in steps])
    return {"manifests": manifests, "shards": found.files(shards)}


def _alpha(found: Inputs, asked: Asked, key: Key) -> Digests:
    null = found.file(("alpha_null", asked.family_of(str(key[1]))))
    return {"spectra": found.file(("timelines/spectra", key[1])), "null": null}


def _evidence(found: Inputs, asked: Asked, key: Key) -> Digests:
    judged = asked.judged(str(key[1]))
    shards = [one for model in judged for table in asked.evidence_tables for one in asked.of_checkpoints(table, model)]
    return {"shards": found.files(shards), "integrity": found.files([("integrity", model) for model in judged])}


_INPUTS: dict[str, Callable[[Inputs, Asked, Key], Digests]] = {
    "text": lambda *_: {},
    "corpus": _corpus,
    "panel": _panel,
    "probe": _probe,
    "spectra": _spectra,
    "layers": _probe,
    "allocation": _allocation,
    "activity": _activity,
    "layer_evidence": _layer_evidence,
    "activity_evidence": _activity_evidence,
    "set_spectra": _set_spectra,
    "null_tables": lambda *_: {},
    "alpha_null": lambda *_: {},
    "timelines": _timelines,
    "lineage": _lineage,
    "integrity": _integrity,
    "alpha": _alpha,
    "evidence": _evidence,
}
"""By rule; every other rule is a metric."""
