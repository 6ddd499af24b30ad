"""Fewer contexts at a time where memory is short, and a clear word where one is too many."""

from types import SimpleNamespace

import pytest
import torch

from rare_neurons.models.layers import batches
from rare_neurons.models.layers.batches import first_batch_size, fitting_batches
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from tests.models.tiny import random_model, random_panel


def _setting():
    sample = draw_sample(random_panel(), ("common", "rare"), None, seed=0)
    return Blocks(random_model("gpt2")), sample


def _needing(most, seen):
    def work(size):
        seen.append(size)
        if size > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return size

    return work


def test_a_batch_too_large_is_halved_and_later_passes_begin_there(capsys):
    fitting, seen = fitting_batches(*_setting(), asked=7), []
    assert fitting.run(_needing(2, seen)) == 2
    assert seen == [7, 4, 2]
    assert fitting.run(_needing(2, seen)) == 2
    assert seen == [7, 4, 2, 2]
    assert "out of memory on cpu: 2 contexts at a time from here on" in capsys.readouterr().err


def test_a_context_too_large_is_named():
    with pytest.raises(MemoryError, match="one context of 14 tokens and its gradients do not fit the memory of cpu"):
        fitting_batches(*_setting(), asked=2).run(_needing(0, []))


def test_sizes_follow_the_request_the_processor_or_the_free_memory(monkeypatch):
    blocks, sample = _setting()
    assert first_batch_size(blocks, sample, 3) == 3
    assert first_batch_size(blocks, sample, 300) == len(sample)
    monkeypatch.setattr(batches, "BATCH_TOKENS", 30)
    assert first_batch_size(blocks, sample, None) == 2

    class OnDevice(Blocks):
        def __init__(self, of):
            self.__dict__ = dict(of.__dict__)
            self.model = SimpleNamespace(device=torch.device("cuda"), config=of.model.config)

    sizes = []
    for free in (4e5, 3.2e6):
        monkeypatch.setattr(batches, "usable_bytes", lambda _device, free=free: int(free))
        sizes.append(first_batch_size(OnDevice(blocks), sample, None))
    assert 1 <= sizes[0] < sizes[1] <= len(sample)
