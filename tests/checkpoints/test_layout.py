"""Which files of a folder are needed."""

from rare_neurons.checkpoints.layout import MAX_SHARDS, is_weight_file, needed_files, weight_format, what_is_absent


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
    assert what_is_absent(["model-00002-of-00003.safetensors"]) == (
        "lacks 2 of its shards: model-00001-of-00003.safetensors, model-00003-of-00003.safetensors"
    )
    assert what_is_absent(["model.safetensors", "pytorch_model-00001-of-00001.bin"]) is None
    assert what_is_absent(["model-1-of-9.safetensors"]).endswith("model-6-of-9.safetensors, …")


def test_an_absurd_number_of_shards_is_told_and_not_listed():
    absurd = "model-00001-of-3000000.safetensors"
    assert what_is_absent([absurd]) == f"names 3000000 shards ({absurd}), at most {MAX_SHARDS} are read"
    many = [f"model-1-of-{n}.safetensors" for n in range(2, MAX_SHARDS)]
    assert what_is_absent(many) == f"numbers its shards in {len(many)} ways"
    assert not is_weight_file(f"model-1-of-{10**12}.safetensors")
