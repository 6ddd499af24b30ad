"""A probe in a process that may take little more memory: as a program, which ends with an error where it is wrong."""

import resource
from pathlib import Path

import numpy as np
import torch

from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel

MORE = 90_000_000
"""Bytes that the process may take beyond what it has."""


def main() -> None:
    """Probe by contexts that fit, then by more of them than there is memory for."""
    torch.set_num_threads(1)
    model, panel = random_model("gpt2", dtype=torch.float32), random_panel(n_contexts=16_000, per_stratum=40)
    probe_model(model, random_panel(), EXACT)  # what loads late is loaded now
    pages = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    expected = probe_model(model, panel, EXACT, batch_size=256).influence
    resource.setrlimit(resource.RLIMIT_AS, (pages + MORE, pages + MORE))
    found = probe_model(model, panel, EXACT, batch_size=16_000).influence
    np.testing.assert_allclose(found, expected, atol=1e-6)


if __name__ == "__main__":
    main()
