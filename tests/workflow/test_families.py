"""Tiny random models of the other families end to end, in one results tree beside the embedded GPT-NeoX."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import transformers

from rare_neurons import load_integrity, load_timeline
from rare_neurons.stages.on_panel import load_panel
from tests.reference.hooked_influence import hooked_log_p, mean_activation
from tests.workflow.project import CONFIG, copy_project

pytestmark = pytest.mark.pipeline

VOCAB, WIDTH, N_NEURONS, LENGTH = 400, 16, 24, 32
_IDS = {"bos_token_id": 0, "eos_token_id": 0, "vocab_size": VOCAB}
_SHAPE = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": LENGTH}
_PAD = {"pad_token_id": 1}
FAMILIES = {
    "gpt2": lambda: transformers.GPT2Config(
        **_IDS, n_embd=WIDTH, n_layer=2, n_head=2, n_inner=N_NEURONS, n_positions=LENGTH
    ),
    "opt": lambda: transformers.OPTConfig(
        **_IDS, **_SHAPE, **_PAD, ffn_dim=N_NEURONS, word_embed_proj_dim=WIDTH, dropout=0.0
    ),
    "llama": lambda: transformers.LlamaConfig(**_IDS, **_SHAPE, num_key_value_heads=1, intermediate_size=N_NEURONS),
    "olmo2": lambda: transformers.Olmo2Config(**_IDS, **_SHAPE, **_PAD, intermediate_size=N_NEURONS),
}


def save_pair(name: str, folder) -> None:
    """Two checkpoints: random weights, large enough that neurons matter, and the same a little further on."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(FAMILIES[name]())
        for step, scale in ((0, 0.4), (1, 0.1)):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(scale * torch.randn_like(parameter))
            model.save_pretrained(folder / f"step{step}")


@pytest.fixture(scope="module")
def measured(finished, tmp_path_factory):
    """The finished run, to which four families were added."""
    project = copy_project(finished, tmp_path_factory.mktemp("families") / "project")
    models = dict(CONFIG["models"])
    for name in FAMILIES:
        save_pair(name, project.folder / f"run/{name}")
        models[name] = {"source": "folder", "path": f"run/{name}/step{{step}}", "tokenizer": "bpe", "steps": [0, 1]}
    project.configure(models=models)
    project.run(*(f"results/timelines/{q}/{m}.parquet" for q in ("influence", "behaviour", "spectra") for m in models))
    return project.folder


def test_every_model_has_its_tables_in_one_tree(measured):
    results = measured / "results"
    expected = {(name, step) for name in FAMILIES for step in (0, 1)} | {("tiny-seed0", step) for step in (0, 2, 4)}
    for quantity in ("influence", "behaviour", "spectra"):
        rows = load_timeline(results, quantity, columns=["model", "step"], format="arrow").to_pylist()
        assert {(row["model"], row["step"]) for row in rows} == expected, quantity
    assert not any(row["quarantined"] for row in load_integrity(results, format="arrow").to_pylist())
    matrices = {
        name: set(pq.read_table(results / f"spectra/{name}/step1.parquet")["matrix"].to_pylist()) for name in FAMILIES
    }
    attention = {"W_E", "W_Q", "W_K", "W_V", "W_O", "W_in", "W_out"}
    assert matrices == {
        "gpt2": attention,  # the unembedding is the embedding
        "opt": attention,
        "llama": attention | {"W_gate", "W_U"},
        "olmo2": attention | {"W_gate", "W_U"},
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_influence_of_a_checkpoint_equals_hooked_forward_passes(measured, name):
    results = measured / "results"
    panel = load_panel(
        contexts=str(results / "panel/heldout/contexts.parquet"),
        targets=str(results / "panel/heldout/targets.parquet"),
        unigram=str(results / "corpus/texts/bpe/unigram.parquet"),
        rules=CONFIG["panels"]["heldout"]["strata"],
    )
    table = pq.read_table(results / f"influence/heldout/{name}/step1.parquet")
    rows = {(row["neuron"], row["stratum"]): row for row in table.to_pylist()}
    model = transformers.AutoModelForCausalLM.from_pretrained(measured / f"run/{name}/step1", dtype=torch.float64)
    token_ids = torch.from_numpy(panel.token_ids)
    mean = mean_activation(model.eval(), token_ids, panel.min_position)
    at = tuple(torch.tensor(index) for index in (panel.context, panel.position, panel.target_id))
    before = hooked_log_p(model, token_ids, None, None)[at]
    effects = []
    for neuron in range(N_NEURONS):
        change = (before - hooked_log_p(model, token_ids, neuron, mean[neuron])[at]).numpy()
        for index, stratum in enumerate(panel.strata):
            row = rows[neuron, stratum]
            effects.append(change[panel.stratum == index].mean())
            # The network ran in float32, and the engine stops at its tolerance.
            allowed = row["truncation_bound"] + row["rounding_bound"] + 1e-5
            assert abs(row["influence"] - effects[-1]) < allowed, (neuron, stratum)
    assert np.abs(effects).max() > 1e-2
