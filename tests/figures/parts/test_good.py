"""Quarantined checkpoints, and those without a verdict, draw nothing."""

import pandas as pd

from rare_neurons.figures.parts.good import of_good_checkpoints


def test_rows_of_quarantined_checkpoints_are_left_out(monkeypatch):
    verdicts = pd.DataFrame({"model": ["a", "a", "b"], "step": [0, 8, 8], "quarantined": [False, True, False]})
    monkeypatch.setattr("rare_neurons.figures.parts.good.load_integrity", lambda results, models: verdicts)
    table = pd.DataFrame({"model": ["a", "a", "b", "b"], "step": [0, 8, 8, 16], "value": [1, 2, 3, 4]})
    assert of_good_checkpoints("results", table, ["a", "b"]).value.tolist() == [1, 3]
