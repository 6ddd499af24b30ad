"""A tiny run on disk."""

import pytest


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Folder with ``step8`` of a tiny GPT-NeoX; tests leave it as it is."""
    import torch  # seconds that only the tests with a network need pay

    from tests.models.tiny import random_model

    folder = tmp_path_factory.mktemp("run")
    random_model("gpt_neox-parallel", dtype=torch.float32).save_pretrained(folder / "step8")
    return folder
