"""A repository of small checkpoints, served as revisions by the loopback hub."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.checkpoints.retry import Network
from tests.hub.server import serve

IMPATIENT = Network(attempts=4, first_wait_s=0.01, max_wait_s=0.02, timeout_s=0.4, progress=False)


def save_checkpoint(folder: Path, value: float, *, size: int = 4000) -> None:
    """One safetensors file of about 4 bytes per entry, a configuration and things nobody needs."""
    folder.mkdir(parents=True)
    weights = np.random.default_rng(int(value * 1000)).standard_normal(size).astype(np.float32)
    save_file({"w": weights}, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"not to be fetched")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt_neox"}))
    (folder / "README.md").write_text("not to be fetched")


@pytest.fixture
def hub(tmp_path):
    """A running hub with ``lab/pythia``: steps 0 and 1 identical, 2, 4 and 8 different."""
    for step, value in ((0, 0.0), (1, 0.0), (2, 2.0), (4, 4.0), (8, 8.0)):
        save_checkpoint(tmp_path / "served" / "lab" / "pythia" / f"step{step}", value)
    save_checkpoint(tmp_path / "served" / "lab" / "pythia" / "main", 8.0)
    with serve(tmp_path / "served") as server:
        yield server
