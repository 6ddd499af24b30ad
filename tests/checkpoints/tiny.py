"""Small checkpoints, on the loopback hub and in folders, and what the tests of several modules ask of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.hub import HubListing
from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.retry import Network
from rare_neurons.checkpoints.sources import Source
from rare_neurons.checkpoints.tensors import iter_tensors

IMPATIENT = Network(attempts=4, first_wait_s=0.01, max_wait_s=0.02, timeout_s=0.4, progress=False)
WEIGHTS = r"GET /cdn/.*step2/model\.safetensors"

USE = """
import sys, time
from pathlib import Path
from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import read_manifest
cache, budget, hold, *paths = sys.argv[1:]
for path in paths:
    manifest = read_manifest(path)
    with open_weights(manifest, cache_dir=Path(cache), budget_bytes=int(budget)) as folder:
        time.sleep(float(hold))
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert sizes == {file.name: file.size for file in manifest.files}, sizes
    print(manifest.step, flush=True)
"""


def save_checkpoint(folder: Path, value: float, *, size: int = 4000) -> None:
    """One safetensors file of about 4 bytes per entry, a configuration and things nobody needs."""
    folder.mkdir(parents=True)
    weights = np.random.default_rng(int(value * 1000)).standard_normal(size).astype(np.float32)
    save_file({"w": weights}, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"not to be fetched")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt_neox"}))
    (folder / "README.md").write_text("not to be fetched")


def listing(hub, template="step{step}", repo="lab/pythia"):
    return HubListing(repo, template=template, endpoint=hub.url, network=IMPATIENT)


def manifest(hub, step=2):
    return listing(hub).manifest("m", step)


def fetched(hub, tmp_path, step=2):
    """Open a checkpoint and return its weight file's bytes."""
    with open_weights(manifest(hub, step), **place(tmp_path)) as folder:
        assert [name for name, _ in iter_tensors(folder)] == ["w"]
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
        return (folder / "model.safetensors").read_bytes()


def place(tmp_path):
    return {
        "cache_dir": tmp_path / "cache",
        "budget_bytes": 10**8,
        "network": IMPATIENT,
        "hub_cache": tmp_path / "hub-cache",
    }


def served(hub, step=2):
    return (hub.root / "lab" / "pythia" / f"step{step}" / "model.safetensors").read_bytes()


def whole(hub):
    """How often each file was served completely."""
    return Counter(path.rsplit("/", 1)[-1] for path in hub.downloads(whole=True))


def bytes_of_weights(hub):
    return sum(entry.sent for entry in hub.bodies() if entry.path.startswith("/cdn/"))


def start(code, *arguments, **environment):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | environment)


def manifests_on_disk(hub, folder, steps, repo="lab/pythia"):
    listing = HubListing(repo, template="step{step}", endpoint=hub.url, network=IMPATIENT)
    found = [listing.manifest("m", step) for step in steps]
    for manifest in found:
        write_manifest(manifest, folder / f"step{manifest.step}.json")
    return found


def make_run(root, steps, template="step{step}"):
    for step in steps:
        folder = root / template.replace("{step}", str(step))
        folder.mkdir(parents=True)
        save_file({"w": np.full((3, 4), step, dtype=np.float32)}, folder / "model.safetensors")
        (folder / "config.json").write_text('{"model_type": "gpt_neox"}')
    return Source("folder", str(root / template))


def opened(manifest, tmp_path):
    return open_weights(manifest, cache_dir=tmp_path / "cache", budget_bytes=10**9)
