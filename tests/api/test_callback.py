"""A tiny training that measures itself in memory; with a configuration: `tests/workflow/test_callback.py`."""

import pytest
import torch
from transformers import Trainer, TrainingArguments

import rare_neurons
from rare_neurons.api.callback import MeasureCallback
from rare_neurons.api.influence import measure_influence
from rare_neurons.errors import RequestError
from tests.api.contexts import random_contexts
from tests.models.tiny import random_model

STEPS = [0, 1, 3]


def train(folder, callbacks, **changes):
    """Three updates with dropout, so that a random number drawn in between would show."""
    model = random_model("gpt2", dtype=torch.float32)
    rows = torch.from_numpy(random_contexts())
    settings = {
        "max_steps": 3,
        "per_device_train_batch_size": 8,
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
    }
    arguments = TrainingArguments(str(folder), **{"save_strategy": "no", **settings, **changes})
    Trainer(model, arguments, train_dataset=[{"input_ids": r, "labels": r} for r in rows], callbacks=callbacks).train()
    return model


@pytest.fixture(scope="module")
def trained(tmp_path_factory, panel):
    folder = tmp_path_factory.mktemp("trained")
    callback = MeasureCallback(folder / "results", "mine", steps=STEPS, panel=panel)
    return folder / "results", train(folder / "run", [callback])


def test_shards_of_the_chosen_steps_are_found(trained):
    results, _ = trained
    found = rare_neurons.load_influence(results, models="mine")
    assert sorted(set(found.step)) == STEPS
    assert sorted(set(rare_neurons.load_spectra(results).step)) == STEPS
    assert found.groupby("step").influence.std().nunique() == len(STEPS)


def test_the_last_shard_is_of_the_trained_model(trained, panel):
    results, model = trained
    mine = measure_influence(model, panel).to_pandas().sort_values(["stratum", "neuron"])
    found = rare_neurons.load_influence(results, models="mine", steps=3)
    assert found.influence.tolist() == mine.influence.tolist()


def test_the_training_goes_on_as_if_nothing_had_been_measured(trained, tmp_path):
    _, measured = trained
    alone = train(tmp_path, [])
    for name, value in alone.state_dict().items():
        assert torch.equal(value, measured.state_dict()[name]), name


def test_what_cannot_work_is_refused_before_the_training(panel, tmp_path):
    with pytest.raises(RequestError, match="both given"):
        MeasureCallback(tmp_path, "mine", steps=0, panel=panel, config={})
    with pytest.raises(RequestError, match="steps: a model in memory is measured at chosen steps"):
        MeasureCallback(tmp_path, "mine", panel=panel)
    with pytest.raises(RequestError, match=r"steps=\[0\.5\]: whole numbers"):
        MeasureCallback(tmp_path, "mine", steps=[0.5], panel=panel)
    with pytest.raises(RequestError, match="steps=-1: at least one step, and none below 0"):
        MeasureCallback(tmp_path, "mine", steps=-1, panel=panel)
    with pytest.raises(RequestError, match=r"no .*config\.yaml, which a run leaves there"):
        MeasureCallback(tmp_path, "mine")
