"""A safetensors file is read whole and tensor by tensor, or refused with its size."""

import json
import struct

import pytest

from rare_neurons.checkpoints.tensors import iter_tensors
from rare_neurons.errors import DataFault


def header(entries, data=b""):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "0 bytes, no complete safetensors header"),
        (b"\xff" * 40, "40 bytes, no complete safetensors header"),
        (struct.pack("<Q", 2) + b"[]", "unreadable safetensors header"),
        (struct.pack("<Q", 3) + b"\xff{}", "unreadable safetensors header"),
        (header({"w": {"dtype": "F32", "shape": [2]}}), "unreadable safetensors header"),
        (header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"1234567"), "is truncated"),
        (header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"123456789"), "longer than its header"),
        (header({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, b"12345678"), "model.safetensors: "),
    ],
)
def test_bad_safetensors_files_are_data_faults_that_tell_the_size(tmp_path, content, match):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(DataFault, match=match) as caught:
        list(iter_tensors(tmp_path))
    assert f"{len(content)} bytes" in str(caught.value)
