"""What went into a file: digests of parameters and inputs."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from rare_neurons.sums import file_sha256


def provenance(
    rule: str, version: int, params: Mapping[str, object], inputs: Mapping[str, str], **more: object
) -> dict[str, object]:
    """Say what went into a file: never a path, never the whole configuration, never a time.

    Parameters
    ----------
    rule : str
        Name of the rule.
    version : int
        Version of what the rule computes.
    params : mapping
        The rule's own parameters.
    inputs : mapping of str to str
        Name of each input and the digest of its content.
    **more
        Facts about this file (commit, weights' sha256, compute dtype, status, …).
    """
    return {
        "package_version": importlib.metadata.version("rare-neurons"),
        "rule": rule,
        "rule_version": version,
        "params": dict(params),
        "params_sha256": digest_of(params),
        "inputs": dict(inputs),
        "inputs_sha256": digest_of(inputs),
        **more,
    }


def digest_of(value: object) -> str:
    """Return the sha256 of a JSON-like value in canonical form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def digest_of_files(paths: Iterable[Path | str]) -> str:
    """Return one digest of the content of files, in their order."""
    return digest_of([file_sha256(path) for path in paths])
