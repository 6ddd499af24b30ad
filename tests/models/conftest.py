"""A tiny model on disk."""

import pytest
import torch

from tests.models.tiny import random_model


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Folder of a checkpoint that tests copy before they change it."""
    folder = tmp_path_factory.mktemp("saved") / "step8"
    random_model("gpt_neox-parallel", dtype=torch.float32).save_pretrained(folder)
    return folder
