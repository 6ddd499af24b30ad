"""A repository of small checkpoints, served as revisions by the loopback hub."""

import pytest

from tests.checkpoints.tiny import save_checkpoint
from tests.hub.server import serve


@pytest.fixture
def hub(tmp_path):
    """A running hub with ``lab/pythia``: steps 0 and 1 identical, 2, 4 and 8 different."""
    for step, value in ((0, 0.0), (1, 0.0), (2, 2.0), (4, 4.0), (8, 8.0)):
        save_checkpoint(tmp_path / "served" / "lab" / "pythia" / f"step{step}", value)
    save_checkpoint(tmp_path / "served" / "lab" / "pythia" / "main", 8.0)
    with serve(tmp_path / "served") as server:
        yield server
