"""Plain losses against the library's own logits."""

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import batches_of
from rare_neurons.models.allocation.plain import plain_losses
from tests.models.allocation.dense import panel_loss
from tests.models.tiny import random_model, random_panel

CLASSES = np.where(random_panel().vocab_stratum < 0, 3, random_panel().vocab_stratum)


def test_means_are_those_of_cross_entropies():
    model, panel = random_model("gpt_neox-sequential"), random_panel()
    found = plain_losses(model, batches_of(panel, 3), classes=CLASSES, strata=[2, 0])
    for k, stratum in enumerate(("rare", "common")):
        n = (panel.stratum == panel.strata.index(stratum)).sum()
        expected = [float(panel_loss(model, panel, stratum, part).detach()) / n for part in ("whole", "within")]
        np.testing.assert_allclose(found[k], expected)


def test_nan_is_a_fault_of_the_data():
    model, panel = random_model("gpt2"), random_panel()
    with torch.no_grad():
        model.transformer.ln_f.bias[0] = torch.nan
    with pytest.raises(DataFault, match="losses of the panel's targets are not finite"):
        plain_losses(model, batches_of(panel, 3), classes=CLASSES, strata=[0])
