import pytest
import torch

from tests.api.contexts import DRAW, STRATA, of_documents, random_contexts
from tests.models.tiny import random_model


@pytest.fixture(scope="session")
def model():
    """A tiny float32 model; tests leave it as it is."""
    return random_model("gpt_neox-parallel", dtype=torch.float32)


@pytest.fixture(scope="session")
def panel():
    from rare_neurons.api.panel import make_panel

    with pytest.warns(UserWarning, match="effective token types"):
        return make_panel(random_contexts(), strata=STRATA, documents=of_documents(), **DRAW)
