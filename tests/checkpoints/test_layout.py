"""Which files of a folder are needed."""

from rare_neurons.checkpoints.layout import absent_shards, is_weight_file, needed_files, weight_format


def test_a_trainer_folder_gives_weights_configuration_and_tokenizer_only():
    trainer = ["model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "optimizer.pt"]
    trainer += ["scheduler.pt", "rng_state.pth", "trainer_state.json", "training_args.bin", "README.md"]
    assert needed_files(trainer) == ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json")
    both = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    assert needed_files([*both, *shards]) == tuple(sorted(shards))
    assert needed_files(both) == tuple(sorted(both))
    assert needed_files([*shards, "model.safetensors"]) == ("model.safetensors",)


def test_what_holds_weights():
    assert is_weight_file("pytorch_model-00001-of-00002.bin")
    assert not any(map(is_weight_file, ("training_args.bin", "optimizer.pt", "model.safetensors.index.json")))
    assert weight_format(["pytorch_model.bin", "model-00001-of-00002.safetensors"]) == "safetensors"
    assert weight_format(["pytorch_model.bin", "config.json"]) == "bin"
    assert weight_format(["config.json"]) is None


def test_shards_that_the_numbering_promises():
    assert absent_shards(["model-00002-of-00003.safetensors"]) == (
        "model-00001-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
    )
    assert absent_shards(["model.safetensors", "pytorch_model-00001-of-00001.bin"]) == ()
