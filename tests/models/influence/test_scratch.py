"""One memory for all blocks, never larger than a block."""

from dataclasses import replace

import torch

from rare_neurons.models.influence.scratch import CACHE, DEVICE, ROW_PIECE, VOCAB_BLOCK, Scratch, chunks_for, row_pieces


def test_blocks_share_their_memory():
    scratch = Scratch(torch.zeros(3, 10, dtype=torch.float64))
    first, second = scratch((3, 4)).fill_(1.0), scratch((3, 2)).fill_(2.0)
    assert (first.shape, second.shape, first.dtype) == ((3, 4), (3, 2), torch.float64)
    assert first.data_ptr() == second.data_ptr()
    assert first.flatten().tolist() == [2.0] * 6 + [1.0] * 6


def test_no_more_than_a_block_of_columns_is_kept():
    wide = torch.empty(2, 3 * VOCAB_BLOCK)
    assert Scratch(wide).memory.numel() == 2 * VOCAB_BLOCK
    assert Scratch(wide, torch.float16).memory.dtype == torch.float16
    assert Scratch(wide, columns=7).memory.numel() == 2 * 7


def test_rows_come_in_pieces_that_stay_in_cache_and_on_a_device_at_once():
    rows = ROW_PIECE // 100
    assert list(row_pieces((rows + 3, 100), CACHE)) == [slice(0, rows), slice(rows, rows + 3)]
    assert list(row_pieces((2, 2 * ROW_PIECE), CACHE)) == [slice(0, 1), slice(1, 2)]
    assert list(row_pieces((rows + 3, 100), DEVICE)) == [slice(0, rows + 3)]


def test_a_processor_works_in_cache_and_a_device_by_the_block():
    assert chunks_for(torch.device("cpu"), 4096) is CACHE
    assert chunks_for(torch.device("cpu"), 256) == replace(CACHE, columns=512)
    assert chunks_for(torch.device("cuda"), 256) is DEVICE
    assert DEVICE.parallel
    assert not CACHE.parallel
    assert DEVICE.pairs >= 512 * 36_864  # 12b's neurons: a block of positions is one chunk
