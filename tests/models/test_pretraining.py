"""Training from nothing: the bytes depend on recipe, tokens and seed, and not on interruptions."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from rare_neurons.models.pretraining import RESUME, Recipe, _batches, _initial_model, _loss, _schedule, pretrain

RECIPE = Recipe(
    hidden_size=8,
    n_layers=1,
    n_heads=2,
    mlp_size=16,
    context_length=8,
    batch_size=4,
    n_steps=6,
    learning_rate=1e-2,
    weight_decay=0.1,
)
TOKENS = np.random.default_rng(0).integers(0, 30, 400)


@pytest.fixture(autouse=True)
def as_before():
    """Training asks torch for deterministic algorithms; other tests did not."""
    yield
    torch.use_deterministic_algorithms(False)


def train(folder, *, seed=0, recipe=RECIPE, **options):
    folder.mkdir(exist_ok=True)
    pretrain(TOKENS, folder, recipe=recipe, vocab_size=30, end_of_text=0, steps=(0, 2, 4, 6), seed=seed, **options)
    return {path.name: (path / "model.safetensors").read_bytes() for path in sorted(folder.glob("step*"))}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(folder)


def test_asked_steps_are_kept_whole_and_readable(trained):
    folder, weights = trained
    assert list(weights) == ["step0", "step2", "step4", "step6"]
    assert sorted(path.name for path in folder.iterdir()) == [RESUME, *weights]
    assert {path.stat().st_mode & 0o777 for path in (folder / "step2").iterdir()} == {0o644}
    assert len(set(weights.values())) == 4


def test_a_training_that_was_stopped_goes_on_to_the_same_bytes(trained, tmp_path):
    def until_five(steps, _start):
        for step in steps:
            if step == 5:
                raise KeyboardInterrupt
            yield step

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", progress=until_five)
    assert not (tmp_path / "run" / "step6").exists()
    starts = []

    def told(steps, start):
        starts.append(start)
        return steps

    assert train(tmp_path / "run", progress=told) == trained[1]
    assert starts == [4]


def test_the_seed_changes_the_weights_and_training_the_loss(trained, tmp_path):
    other = train(tmp_path / "other", seed=1, recipe=dataclasses.replace(RECIPE, n_steps=0))
    assert other["step0"] != trained[1]["step0"]
    first, last = (load_file(trained[0] / step / "model.safetensors") for step in ("step0", "step6"))
    assert first.keys() == last.keys()
    assert all(not torch.equal(first[name], last[name]) for name in first if name.endswith("dense.weight"))


def test_the_learning_rate_warms_up_and_falls_to_a_tenth():
    rates = [_schedule(step, n_steps=200) for step in (1, 2, 101, 200)]
    assert rates == pytest.approx([0.5, 1.0, 0.1 + 0.45 * (1 + math.cos(math.pi / 2)), 0.1])


def test_every_window_is_seen_once_per_epoch_in_an_order_of_its_own():
    tokens = np.arange(12 * 8)
    recipe = dataclasses.replace(RECIPE, n_steps=6)
    batches = [batch[:, 0] // 8 for batch in _batches(tokens, recipe, seed=0, start=0)]
    epochs = [np.concatenate(batches[k : k + 3]) for k in (0, 3)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0].tolist() != epochs[1].tolist()
    later = [batch[:, 0] // 8 for batch in _batches(tokens, recipe, seed=0, start=4)]
    np.testing.assert_array_equal(later, batches[4:])


def test_a_stream_shorter_than_a_batch_is_refused():
    with pytest.raises(ValueError, match="20 training tokens make 2 windows of 8, but a batch needs 4"):
        next(_batches(np.arange(20), RECIPE, seed=0, start=0))


def test_the_loss_is_the_one_transformers_computes():
    model = _initial_model(RECIPE, vocab_size=30, end_of_text=0, seed=0)
    batch = torch.from_numpy(next(_batches(TOKENS, RECIPE, seed=0, start=0)))
    torch.testing.assert_close(_loss(model, batch), model(input_ids=batch, labels=batch).loss, rtol=1e-6, atol=0)
