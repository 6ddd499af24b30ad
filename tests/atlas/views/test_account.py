"""The account as columns: both parts of the loss, and what is null stays null."""

import pandas as pd

from rare_neurons.atlas.views.account import accounts
from tests.figures.layers import account


def test_sums_and_changes_of_one_model_keep_their_keys():
    place = {"model": "a", "step_before": 0, "step": 8, "stratum": "rare", "token_stratum": None}
    rows = pd.DataFrame([{**place, **row} for row in account()])
    change = {"step_before": 0, "step": 8, "stratum": "rare", "part": "whole", "loss_change": -1.0000004}
    changes = pd.DataFrame([{"model": model, **change} for model in "ab"])
    found = accounts(rows, changes)
    parts = found["parts"]
    assert parts["kind"] == ["neuron", "neuron", "head", "embedding", "norm", "other"]
    assert parts["layer"] == [0, 1, 1, None, 0, 0]
    assert parts["token_stratum"] == [None] * 6
    assert sum(parts["whole"]) == -1
    assert sum(parts["within"]) == 0.5
    assert found["changes"] == {name: [value] for name, value in {**change, "loss_change": -1.0}.items()}
