"""Stage `prefetch`: fill the cache where there is a network, for jobs that will run where there is none."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rare_neurons.checkpoints.cache import prefetch
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.stages.cache import cache_place


def fetch_weights(manifests: Sequence[str], *, cache: Mapping[str, object]) -> None:
    """Fetch the weights of all manifests, as many as fit the cache, and say what did not.

    Parameters
    ----------
    manifests : sequence of str
        Inputs.
    cache : mapping
        Section ``cache`` of the configuration.
    """
    done = prefetch([read_manifest(Path(path)) for path in manifests], **cache_place(cache))
    print(f"{len(done.ready)} checkpoints are in {cache['folder']}", file=sys.stderr)
    if done.left_out:
        listed = ", ".join(f"{model} step {step}" for model, step in done.left_out[:5])
        print(f"{len(done.left_out)} do not fit cache.disk_gb = {cache['disk_gb']}: {listed} …", file=sys.stderr)
    for model, step, reason in done.faulty:
        print(f"{model} step {step}: {reason}", file=sys.stderr)
