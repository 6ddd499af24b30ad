"""Reading of tensors: formats, dtypes, shards, and every way in which they can contradict each other."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.checkpoints.tensors import iter_tensors, read_tensor, tensor_names
from rare_neurons.errors import DataFault

RNG = np.random.default_rng(0)


def test_dtypes_as_stored_and_bfloat16_widened(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    save_torch(
        {"a": values, "b": values.half(), "c": values.bfloat16(), "d": torch.tensor(2.5, dtype=torch.bfloat16)},
        tmp_path / "model.safetensors",
    )
    read = dict(iter_tensors(tmp_path))
    assert [read[name].dtype for name in "abcd"] == [np.float32, np.float16, np.float32, np.float32]
    np.testing.assert_array_equal(read["a"], values.numpy())
    np.testing.assert_array_equal(read["b"], values.half().numpy())
    np.testing.assert_array_equal(read["c"], values.bfloat16().float().numpy())
    assert (read["d"].shape, float(read["d"])) == ((), 2.5)


@pytest.mark.parametrize("zipped", [True, False])
def test_bin_files_give_the_same_arrays(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    state = {"x.weight": torch.arange(6.0).reshape(2, 3), "y": torch.ones(3, dtype=torch.bfloat16)}
    torch.save(state, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    assert tensor_names(tmp_path) == ("x.weight", "y")
    np.testing.assert_array_equal(read_tensor(tmp_path, "x.weight"), np.arange(6).reshape(2, 3))
    assert read_tensor(tmp_path, "y").dtype == np.float32


@pytest.mark.parametrize("content", ["truncated", "code", "list", "text"])
def test_bad_bin_files_are_data_faults(tmp_path, content):
    torch = pytest.importorskip("torch")
    path = tmp_path / "pytorch_model.bin"
    torch.save({"code": {"w": print}, "list": [1, 2]}.get(content, {"w": torch.ones(50)}), path)
    if content == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    if content == "text":
        path.write_text("not weights at all")
    with pytest.raises(DataFault, match=r"pytorch_model\.bin"):
        tensor_names(tmp_path)


def test_shards_are_joined_and_buffers_left_out(tmp_path):
    a, b = RNG.standard_normal((2, 3, 3)).astype(np.float32)
    mask = np.tril(np.ones((4, 4), dtype=bool))
    first = {"layers.0.attention.dense.bias": a, "layers.0.attention.bias": mask}
    save_file(first, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"embed": b}, tmp_path / "model-00002-of-00002.safetensors")
    index = {"weight_map": {**dict.fromkeys(first, "model-00001-of-00002.safetensors"), "embed": "…"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert tensor_names(tmp_path) == ("embed", "layers.0.attention.dense.bias")
    assert len(tensor_names(tmp_path, buffers=True)) == 3
    np.testing.assert_array_equal(read_tensor(tmp_path, "embed"), b)
    assert [name for name, _ in iter_tensors(tmp_path)] == ["layers.0.attention.dense.bias", "embed"]
    index["weight_map"]["gone"] = "model-00002-of-00002.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(DataFault, match=r"lacks 1 tensors that model\.safetensors\.index\.json names, first 'gone'"):
        tensor_names(tmp_path)
    save_file({"embed": b}, tmp_path / "model-00001-of-00002.safetensors")
    with pytest.raises(DataFault, match="tensor 'embed' is in both"):
        tensor_names(tmp_path)


def test_a_missing_tensor_is_named(tmp_path):
    save_file({"w": np.ones(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(DataFault, match="no tensor 'v' among the 1"):
        read_tensor(tmp_path, "v")
