"""A folder is loaded whole, or refused with the tensor's name."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.models.loading import check_length, load_model
from tests.models.tiny import LAYOUTS, random_model

W_IN = "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "step8")


def edit(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_dtype_is_the_one_asked_for_not_the_files(folder):
    edit(folder, lambda tensors: tensors.update({k: v.half() for k, v in tensors.items()}))
    model = load_model(folder, dtype=torch.float32)
    assert model.dtype == torch.float32
    assert not model.training


def test_bin_and_shards_equal_safetensors(folder, saved, tmp_path):
    expected = load_model(saved, dtype=torch.float32)
    expected.save_pretrained(tmp_path / "sharded", max_shard_size="8KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    for path in (folder, tmp_path / "sharded"):
        state = load_model(path, dtype=torch.float32).state_dict()
        assert all(torch.equal(state[k], v) for k, v in expected.state_dict().items())


def test_legacy_buffers_load_cleanly(folder):
    legacy = {
        "gpt_neox.layers.0.attention.bias": torch.ones(1, 1, 4, 4),
        "gpt_neox.layers.0.attention.masked_bias": torch.tensor(-1e9),
        "gpt_neox.layers.0.attention.rotary_emb.inv_freq": torch.ones(2),
    }
    edit(folder, lambda tensors: tensors.update(legacy))
    load_model(folder, dtype=torch.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(W_IN), f"1 tensors missing from a gpt_neox checkpoint, first '{W_IN}'"),
        (lambda t: t.update(stray=torch.zeros(2)), "1 tensors unexpected in step8: 'stray'"),
        (
            lambda t: t.update({W_IN: torch.zeros(3, 3)}),
            rf"1 tensors mismatched .*'{W_IN}': \(3, 3\), by its config\.json \(20, 12\)",
        ),
        (lambda t: t[W_IN].fill_(torch.nan), f"1 tensors not finite in step8: '{W_IN}'"),
    ],
)
def test_wrong_tensors_are_data_faults(folder, change, message):
    edit(folder, change)
    with pytest.raises(DataFault, match=message):
        load_model(folder, dtype=torch.float32)


@pytest.mark.parametrize("keep", [-500, 60])
def test_a_truncated_file_is_a_data_fault(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataFault, match="weights of step8 cannot be read"):
        load_model(folder, dtype=torch.float32)


def test_an_empty_folder_and_no_weights(tmp_path, folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataFault, match="weights of step8 cannot be read"):
        load_model(folder, dtype=torch.float32)
    with pytest.raises(DataFault, match=r"no config\.json in"):
        load_model(tmp_path, dtype=torch.float32)


def test_an_unknown_family_is_refused_before_reading(folder):
    (folder / "config.json").write_text('{"model_type": "mamba"}')
    (folder / "model.safetensors").unlink()
    with pytest.raises(RequestError, match="unknown family 'mamba'"):
        load_model(folder, dtype=torch.float32)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_equals_the_librarys_own_loading(tmp_path, name, dtype):
    random_model(name, dtype=torch.float16).save_pretrained(tmp_path)
    theirs, ours = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=dtype), load_model(tmp_path, dtype=dtype)
    assert theirs.state_dict().keys() == ours.state_dict().keys()
    ids = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        assert torch.equal(theirs(input_ids=ids).logits, ours(input_ids=ids).logits)
    assert {p.dtype for p in ours.parameters()} == {dtype}
    assert ours.config.tie_word_embeddings == (
        ours.get_input_embeddings().weight is ours.get_output_embeddings().weight
    )


def test_a_tied_unembedding_stored_beside_its_embedding_must_equal_it(tmp_path):
    random_model("gpt2", dtype=torch.float32).save_pretrained(tmp_path)
    edit(tmp_path, lambda t: t.update({"lm_head.weight": t["transformer.wte.weight"].clone()}))
    load_model(tmp_path, dtype=torch.float32)
    edit(tmp_path, lambda t: t["lm_head.weight"].add_(1))
    with pytest.raises(
        DataFault, match=r"1 tensors tied to another, and stored with other values, in .*lm_head\.weight"
    ):
        load_model(tmp_path, dtype=torch.float32)


def test_names_without_their_prefix_are_found(tmp_path):
    random_model("gpt2", dtype=torch.float32).save_pretrained(tmp_path)
    expected = load_model(tmp_path, dtype=torch.float32).state_dict()
    tensors = {n.removeprefix("transformer."): t for n, t in load_file(tmp_path / "model.safetensors").items()}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = load_model(tmp_path, dtype=torch.float32).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dictionary_in_a_bin_file_is_the_same_model(tmp_path, name, zipped):
    model = random_model(name, dtype=torch.float32)
    model.save_pretrained(tmp_path)
    expected = load_model(tmp_path, dtype=torch.float32).state_dict()
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    found = load_model(tmp_path, dtype=torch.float32).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_tensors_that_are_one_and_the_same_are_named(tmp_path):
    random_model("gpt2", dtype=torch.float32).save_pretrained(tmp_path)
    edit(tmp_path, lambda t: t.update({"ln_f.bias": t["transformer.ln_f.bias"].clone()}))
    with pytest.raises(DataFault, match=r"2 tensors stored twice in .*: 'ln_f\.bias', 'transformer\.ln_f\.bias'"):
        load_model(tmp_path, dtype=torch.float32)


def test_no_more_than_five_tensors_are_named(folder):
    edit(folder, lambda tensors: tensors.update({f"stray{i}": torch.zeros(1) for i in range(7)}))
    with pytest.raises(DataFault, match=r"7 tensors unexpected in step8: 'stray0', .*'stray4', …$"):
        load_model(folder, dtype=torch.float32)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation", "_attn_implementation_internal"])
@pytest.mark.parametrize("value", ["eager", "kernels-community/flash-attn", {"": "nobody/evil"}])
def test_attention_is_computed_in_the_same_way_whatever_the_folder_names(folder, saved, key, value):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: value}))
    model, plain = (load_model(place, dtype=torch.float32) for place in (folder, saved))
    assert model.config._attn_implementation == plain.config._attn_implementation == "sdpa"
    ids = torch.arange(12).reshape(2, 6)
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, plain(input_ids=ids).logits)


def test_older_names_of_rotary_settings_count(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["rope_parameters"]
    (folder / "config.json").write_text(json.dumps(config | {"rotary_pct": 1.0, "rotary_emb_base": 500}))
    found = load_model(folder, dtype=torch.float32).config.rope_parameters
    assert (found["partial_rotary_factor"], found["rope_theta"]) == (1.0, 500)


def test_want_of_memory_is_no_fault_of_the_configuration(folder, monkeypatch):
    def short(*_, **__):
        raise RuntimeError("can't allocate memory: you tried to allocate 8 bytes")

    monkeypatch.setattr("rare_neurons.models.loading.AutoModelForCausalLM.from_config", short)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        load_model(folder, dtype=torch.float32)


def test_contexts_longer_than_learned_positions_are_refused():
    """GPT-2 has a vector for each position; rotations go on."""
    check_length(random_model("gpt2"), 32)
    check_length(random_model("llama"), 10**6)
    with pytest.raises(RequestError, match=r"contexts of 33 tokens, but the model has 32 positions \(n_positions\)"):
        check_length(random_model("gpt2"), 33)
