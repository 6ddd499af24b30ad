"""A step 0 of another run: found where the directions say so, left alone where they say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from rare_neurons.numerics.integrity.judge import judge_checkpoints
from rare_neurons.numerics.integrity.start import Prints, judge_own_start


def prints(projection, digest):
    return Prints(("w",), (digest,), projection[None])


@pytest.fixture
def run():
    """Step 0 of another run, then the start itself and three steps that drift off it."""
    rng = np.random.default_rng(0)
    own, other, drift = rng.standard_normal((3, 4096))
    path = [other, *(own + 0.05 * k * drift for k in range(4))]
    found = [prints(x, str(k)) for k, x in enumerate(path)]
    verdicts = judge_checkpoints(
        range(5),
        np.stack([p.projections for p in found]),
        digests=[p.sha256 for p in found],
        norms=np.ones((5, 1)),
        tensors=[("a", (64, 64))],
    )
    verdicts = [replace(v, quarantined=False) for v in verdicts]
    return verdicts, found, prints(own, "elsewhere"), prints(rng.standard_normal(4096), "third")


def test_the_start_of_another_run_is_quarantined(run):
    verdicts, found, true, third = run
    changed = judge_own_start(verdicts, found, [third, true])
    assert (changed.step, changed.status, changed.quarantined) == (0, "foreign_start", True)
    assert "step 1 has cosine" in changed.reason


def test_the_own_start_stands(run):
    verdicts, found, true, third = run
    own = [prints(true.projections[0], "0"), *found[2:]]
    steps = [verdicts[0], *verdicts[2:]]
    assert judge_own_start(steps, own, [third, found[0]]) is None


def test_nothing_is_said_without_a_rival_or_a_later_step(run):
    verdicts, found, true, _ = run
    assert judge_own_start(verdicts, found, []) is None
    assert judge_own_start(verdicts, found, [Prints(("v",), true.sha256, true.projections)]) is None
    assert judge_own_start(verdicts[1:], found[1:], [true]) is None
    assert judge_own_start(verdicts[:1], found[:1], [true]) is None
    assert judge_own_start([replace(verdicts[0], quarantined=True), *verdicts[1:]], found, [true]) is None
