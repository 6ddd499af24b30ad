"""A model on the line: at its ends the checkpoints, afterwards as before."""

from fractions import Fraction

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.line import Line
from tests.models.allocation.dense import move, random_update
from tests.models.tiny import random_model


def walk(line, model, start, end):
    """See where the model is at two places, and stop half-way."""
    with line.moved():
        for node, share in ((Fraction(1), 1.0), (Fraction(1, 2), 0.5)):
            line.put(node)
            for p, a, b in zip(model.parameters(), start.parameters(), end.parameters(), strict=True):
                torch.testing.assert_close(p, a + share * (b - a), rtol=1e-6, atol=1e-7)
        raise FloatingPointError("stop")


def test_ends_middle_and_return():
    start, model = random_model("opt", dtype=torch.float32), random_model("opt", dtype=torch.float32)
    end = move(random_model("opt", dtype=torch.float32), random_update(model))
    line = Line(model, dict(end.named_parameters()))
    with pytest.raises(FloatingPointError, match="stop"):
        walk(line, model, start, end)
    assert all(torch.equal(p, a) for p, a in zip(model.parameters(), start.parameters(), strict=True))


def test_other_checkpoints_are_refused():
    with pytest.raises(RequestError, match="tensors of the two checkpoints differ in name or shape"):
        Line(random_model("gpt2"), dict(random_model("opt").named_parameters()))
