"""Which revisions name checkpoints."""

import huggingface_hub
import pytest

from rare_neurons.cli.hub_model import HubModel, hub_checkpoints, steps_in
from rare_neurons.errors import RequestError


@pytest.mark.parametrize(
    ("names", "revision", "steps"),
    [
        (["main", "step0", "step512", "step1000"], "step{step}", (0, 512, 1000)),
        (["main", "step1000-tokens4B", "step2000-tokens8B"], "step{step}*", (1000, 2000)),
        (["global_step5", "global_step10", "step7"], "global_step{step}", (5, 10)),
        (["checkpoint-500", "checkpoint-1000"], "checkpoint-{step}", (500, 1000)),
    ],
)
def test_the_pattern_that_most_revisions_fit(names, revision, steps):
    assert steps_in(names, "o/m") == (revision, steps)


def test_a_model_with_one_state_is_refused_with_what_is_there():
    with pytest.raises(RequestError, match=r"no revision of o/m names a step \(2 revisions: main, v1\.0\)"):
        steps_in(["main", "v1.0"], "o/m")


def test_neurons_follow_from_its_configuration():
    config = {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1, "vocab_size": 300}
    assert HubModel("step{step}", (0,), config).n_neurons == 32
    assert HubModel("step{step}", (0,), {**config, "n_inner": 20}).n_neurons == 20


@pytest.mark.parametrize("name", ["HTTPError", "HFValidationError", "OfflineModeIsEnabled"])
def test_a_hub_that_cannot_be_asked_is_a_sentence(monkeypatch, name):
    def fail(self, repo):
        raise getattr(huggingface_hub.errors, name)("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_refs", fail)
    with pytest.raises(RequestError, match=r"the Hub tells nothing of o/m: Name or .*; no folder of that name is here"):
        hub_checkpoints("o/m")
