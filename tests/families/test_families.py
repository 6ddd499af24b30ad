"""Names and layouts: every promised matrix is found, with the vocabulary's shape; refusals name what is missing."""

import pytest

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import FAMILIES, family_of, known_tensors, weight_matrices
from tests.families.tiny import ONE_OF_EACH, on_disk
from tests.models.tiny import D_MODEL, N_NEURONS, VOCAB, random_model


def test_every_family_has_a_tiny_model_here():
    assert {random_model(name).config.model_type for name in ONE_OF_EACH} == set(FAMILIES)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_shapes_follow_the_vocabulary(name):
    model = random_model(name)
    tensors = on_disk(model)
    specs = weight_matrices(model.config.to_dict(), tensors)
    shapes = {(s.layer, s.matrix): s.select(tensors[s.tensor]).shape for s in specs}
    kv = D_MODEL // 2 if name == "llama" else D_MODEL
    assert shapes[None, "W_E"] == (VOCAB, D_MODEL)
    assert ((None, "W_U") in shapes) == (name not in ("gpt2", "opt"))
    for layer in range(2):
        assert shapes[layer, "W_in"] == shapes[layer, "W_out"] == (N_NEURONS, D_MODEL)
        assert shapes[layer, "W_Q"] == shapes[layer, "W_O"] == (D_MODEL, D_MODEL)
        assert shapes[layer, "W_K"] == shapes[layer, "W_V"] == (kv, D_MODEL)
        assert ((layer, "W_gate") in shapes) == (name in ("llama", "olmo2"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "mamba"}, "unknown family 'mamba'; known: gpt_neox, gpt2, opt, llama, olmo2. Add it in"),
        ({"model_type": "gemma2", "final_logit_softcapping": 30.0}, "logit soft-cap"),
        ({"model_type": "cohere", "logit_scale": 0.0625}, "logit scale"),
        ({"model_type": "mixtral", "num_local_experts": 8}, "mixture of experts"),
        ({"model_type": "opt", "do_layer_norm_before": False}, "post-LN"),
        ({"model_type": "opt", "hidden_size": 1024, "word_embed_proj_dim": 512}, "projects out of the residual"),
    ],
)
def test_refusals_say_why(config, message):
    with pytest.raises(RequestError, match=message):
        family_of(config)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_a_state_dictionary_holds_is_known_by_the_names_of_the_files(name):
    model = random_model(name)
    config, stored = model.config.to_dict(), on_disk(model)
    known = known_tensors(config, model.state_dict())
    tied = {"lm_head.weight"} if config["tie_word_embeddings"] else set()
    assert set(known.values()) == set(stored) - tied
    assert {spec.tensor for spec in weight_matrices(config, model.state_dict())} <= set(model.state_dict())


def test_an_unembedding_under_both_names_is_a_fault():
    model = random_model("gpt_neox-parallel")
    names = [*model.state_dict(), "embed_out.weight"]
    with pytest.raises(DataFault, match=r"embed_out\.weight and lm_head\.weight are both the unembedding"):
        weight_matrices(model.config.to_dict(), names)
    with pytest.raises(DataFault, match=r"lm_head\.weight and embed_out\.weight are one tensor"):
        known_tensors(model.config.to_dict(), names)
