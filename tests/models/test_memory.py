"""Sizes from the memory that is free."""

from types import SimpleNamespace

import pytest
import torch

from rare_neurons.models import memory
from rare_neurons.models.memory import MOST_TOKENS, contexts_at_once, forward_bytes, usable_bytes


def test_half_of_a_processors_free_memory_is_planned_with(monkeypatch):
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=7_000))
    assert usable_bytes(torch.device("cpu")) == 3_500


def test_a_device_counts_what_torch_holds_unused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (6_000, 10_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 3_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 2_000)
    assert usable_bytes(torch.device("cuda")) == 5_600


@pytest.mark.parametrize(
    ("usable", "contexts"),
    [(0, 1), (63_000, 1), (130_000, 2), (520_000, 8), (1_000_000, 8), (10**12, MOST_TOKENS // 64)],
)
def test_batches_are_powers_of_two_within_the_memory(usable, contexts):
    assert contexts_at_once(usable, bytes_per_token=1_000, length=64) == contexts


def test_a_token_of_410m_takes_some_hundred_kilobytes():
    # 24 x 1,024 + 4 x 4,096 + 2 x 16 x 512 float32 numbers, and 4 x 4,096 float64 ones.
    sizes = {"d_model": 1024, "n_neurons": 4096, "n_heads": 16, "length": 512}
    assert forward_bytes(**sizes, itemsize=4) == 4 * 57_344 + 131_072
