"""Which files of a folder are needed."""

from rare_neurons.checkpoints.layout import needed_files


def test_a_trainer_folder_gives_weights_configuration_and_tokenizer_only():
    trainer = ["model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "optimizer.pt"]
    trainer += ["scheduler.pt", "rng_state.pth", "trainer_state.json", "training_args.bin", "README.md"]
    assert needed_files(trainer) == ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json")
    both = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    assert needed_files([*both, *shards]) == tuple(sorted(shards))
    assert needed_files(both) == tuple(sorted(both))
    assert needed_files([*shards, "model.safetensors"]) == ("model.safetensors",)
