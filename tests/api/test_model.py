import contextlib

import numpy as np
import pytest
import torch
from transformers import AutoModel, BertConfig, BertForMaskedLM

from rare_neurons.api.model import at_rest, digest_of_model, plain_model, shapes_of, tensors_of
from rare_neurons.errors import RequestError
from tests.models.tiny import config_of, random_model


def test_a_wrapped_model_is_found(model):
    assert plain_model(model) is model
    assert plain_model(torch.nn.DataParallel(model)) is model


def test_what_is_no_causal_language_model_is_refused(model):
    with pytest.raises(RequestError, match="a Linear is given, but a causal language model"):
        plain_model(torch.nn.Linear(2, 2))
    with pytest.raises(RequestError, match="a GPTNeoXModel is given, but a causal language model"):
        plain_model(AutoModel.from_config(config_of("gpt_neox-parallel")))
    tiny = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9)
    with pytest.raises(RequestError, match="unknown family 'bert'; known: gpt_neox"):
        plain_model(BertForMaskedLM(tiny))
    with pytest.raises(RequestError, match="parameters are not in this process, first"):
        plain_model(random_model("gpt2").to("meta"))


def test_every_module_gets_its_mode_back(model):
    one = random_model("gpt2").train()
    one.transformer.h[0].eval()
    before = {name: module.training for name, module in one.named_modules()}
    with contextlib.suppress(KeyError), at_rest(one) as resting:
        assert not any(module.training for module in resting.modules())
        raise KeyError
    assert {name: module.training for name, module in one.named_modules()} == before


def test_tensors_come_in_host_memory_and_bfloat16_as_float32():
    one = random_model("llama", dtype=torch.bfloat16)
    found = dict(tensors_of(one))
    assert {name: value.shape for name, value in found.items()} == shapes_of(one)
    for name, value in one.named_parameters():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], value.detach().float().numpy())


def test_the_digest_is_of_every_entry():
    one = random_model("gpt_neox-parallel", dtype=torch.float32)
    before = digest_of_model(one)
    assert digest_of_model(random_model("gpt_neox-parallel", dtype=torch.float32)) == before
    with torch.no_grad():
        next(iter(one.parameters())).view(-1)[-1] += 1e-6
    assert digest_of_model(one) != before
