"""Random and mutated files: every reader of a checkpoint's folder reads them or says why not, and nothing else.

One round of each in the tests; `make fuzz` goes on for ten minutes with other seeds.
"""

import io
import json
import math
import os
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from rare_neurons.checkpoints.bin_file import load_bin
from rare_neurons.checkpoints.files import JsonBounds, parse_json, read_config
from rare_neurons.checkpoints.safetensors_file import read_header
from rare_neurons.checkpoints.tensors import iter_tensors, tensor_shapes
from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import checked_matrices, known_tensors
from rare_neurons.stages.own_tokenizer import compare_tokenizer

SECONDS = float(os.environ.get("FUZZ_SECONDS", "600"))
EXAMPLES = 60  # a round takes less than a second
REFUSALS = (DataFault, RequestError)

NUMBERS = st.one_of(
    st.integers(-3, 40), st.sampled_from([2**31, 2**53, 2**63, 2**64, 10**30]), st.floats(), st.booleans()
)
NAMES = st.one_of(st.sampled_from(["w", "v", "dtype", "shape", "data_offsets", "__metadata__"]), st.text(max_size=8))
JSON = st.recursive(
    st.one_of(st.none(), NUMBERS, NAMES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3"]) | JSON,
        "shape": st.lists(st.integers(0, 4), max_size=3) | JSON,
        "data_offsets": st.lists(st.integers(0, 40), min_size=2, max_size=2) | JSON,
    }
)
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "BOOL": 1}
LAYOUT = st.lists(
    st.tuples(st.sampled_from(sorted(SIZES)), st.lists(st.integers(0, 4), max_size=3)), min_size=1, max_size=4
)
HEADER = st.dictionaries(NAMES, ENTRY | JSON, max_size=3) | JSON
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=9)), min_size=1, max_size=6
)
INDEX = st.fixed_dictionaries({"weight_map": st.dictionaries(NAMES, JSON, max_size=3) | JSON}) | JSON
KEYS = ["model_type", "num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size", "vocab_size"]
KEYS += ["tie_word_embeddings", "rope_scaling", "rotary_pct", "num_key_value_heads", "head_dim", "num_experts"]
CONFIG = st.dictionaries(
    st.sampled_from(KEYS), JSON | st.sampled_from(["gpt_neox", "gpt2", "opt", "llama"]), max_size=6
)
TOKENIZER = st.fixed_dictionaries(
    {"model": st.fixed_dictionaries({"vocab": st.just({"a": 0, "b": 1}) | JSON}, optional={"merges": JSON, "x": JSON})},
    optional={"added_tokens": JSON, "pre_tokenizer": JSON, "normalizer": JSON},
)
SOUND = save_tensors({"w": torch.arange(6.0).reshape(2, 3), "v": torch.ones(4).bfloat16()})
BOUNDS = JsonBounds(10**6, 10**4, 20, unique=False)


def sound_bin(zipped: bool) -> bytes:
    file = io.BytesIO()
    torch.save({"w": torch.ones(2, 3), "v": torch.ones(4)}, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


def mutated(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Write over, insert, cut out or repeat at some places."""
    found = bytearray(content)
    for where, what, data in edits:
        at = int(where * len(found))
        if what == 0:
            found[at : at + len(data)] = data
        elif what == 1:
            found[at:at] = data
        elif what == 2:
            del found[at : at + len(data)]
        else:
            found[at:at] = found[at : at + 8 * len(data)]
    return bytes(found)


def check_header(path: Path, content: bytes) -> None:
    """What is read fits the file, and the format's own reader agrees; what that refuses is refused."""
    path.write_bytes(content)
    try:
        places = read_header(path)
    except DataFault:
        return
    assert sum(place.end - place.start for place in places.values()) <= len(content)
    try:
        with safe_open(path, framework="numpy") as file:
            assert set(file.keys()) == set(places)
            assert all(tuple(file.get_slice(name).get_shape()) == places[name].shape for name in places)
    except SafetensorError:
        return  # of a header that only it refuses, which `open_tensors` asks for
    for name, array in iter_tensors(path.parent, buffers=True):
        assert array.shape == places[name].shape


def of_header(folder: Path, header: object, data: bytes) -> None:
    text = json.dumps(header).encode()
    check_header(folder / "model.safetensors", struct.pack("<Q", len(text)) + text + data)


def of_layout(folder: Path, tensors: list[tuple[str, list[int]]], moved: tuple[int, int, int]) -> None:
    """A sound header is read; one with a number moved is read only where the format's own reader reads it."""
    entries, end = {}, 0
    for i, (dtype, shape) in enumerate(tensors):
        start, end = end, end + SIZES[dtype] * math.prod(shape)
        entries[f"t{i}"] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    which, what, by = moved
    if by:
        entry = entries[f"t{which % len(entries)}"]
        numbers = [*entry["shape"], *entry["data_offsets"]]
        numbers[what % len(numbers)] += by
        entry["shape"], entry["data_offsets"] = numbers[:-2], numbers[-2:]
    of_header(folder, entries, bytes(end))
    if not by:
        assert tensor_shapes(folder) == {f"t{i}": tuple(shape) for i, (_, shape) in enumerate(tensors)}


def of_safetensors(folder: Path, edits: list) -> None:
    check_header(folder / "model.safetensors", mutated(SOUND, edits))


def of_bytes(folder: Path, content: bytes) -> None:
    check_header(folder / "model.safetensors", content)


def of_index(folder: Path, index: object) -> None:
    (folder / "model-00001-of-00001.safetensors").write_bytes(SOUND)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    try:
        assert set(tensor_shapes(folder)) == {"v", "w"}
    except DataFault:
        return


def of_json(folder: Path, value: object, edits: list) -> None:
    text = mutated(json.dumps(value).encode(), edits)
    try:
        found = parse_json(text, BOUNDS)
    except ValueError:
        return
    assert found == json.loads(text)


def of_config(folder: Path, config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    shapes = {"gpt_neox.embed_in.weight": (3, 4), "lm_head.weight": (3, 4)}
    try:
        read = read_config(folder)
        known_tensors(read, shapes)
        checked_matrices(read, shapes)
    except REFUSALS:
        return
    raise AssertionError("these two tensors are no model")


def of_bin(folder: Path, zipped: bool, edits: list) -> None:
    path = folder / "pytorch_model.bin"
    path.write_bytes(mutated(sound_bin(zipped), edits))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about files that only happen to look like old ones
            state = load_bin(path)
    except DataFault:
        return
    assert all(tensor.nbytes <= 2 * path.stat().st_size for tensor in state.values())


def of_tokenizer(folder: Path, record: object) -> None:
    (folder / "ours.json").write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1}, "merges": []}}))
    (folder / "tokenizer.json").write_text(json.dumps(record))
    try:
        assert isinstance(compare_tokenizer(folder, folder / "ours.json", "m, step 0"), str)
    except REFUSALS:
        return


PROPERTIES = {
    of_layout: (LAYOUT, st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(-9, 9))),
    of_header: (HEADER, st.binary(max_size=40)),
    of_safetensors: (EDITS,),
    of_bytes: (st.binary(max_size=200),),
    of_index: (INDEX,),
    of_json: (JSON, st.just([]) | EDITS),
    of_config: (CONFIG | JSON,),
    of_bin: (st.booleans(), EDITS),
    of_tokenizer: (TOKENIZER | JSON,),
}


def rounds(seconds: float) -> Iterator[int]:
    """Seeds: one, and others until the time is over."""
    end, seed = time.monotonic() + seconds, 0
    while seed == 0 or time.monotonic() < end:
        yield seed
        seed += 1


@pytest.mark.parametrize("seconds", [0.0, pytest.param(SECONDS / len(PROPERTIES), marks=pytest.mark.fuzz)])
@pytest.mark.parametrize("property_", PROPERTIES, ids=lambda found: found.__name__)
def test_readers_read_or_say_why_not(tmp_path, property_: Callable, seconds):
    def check(arguments: tuple) -> None:
        property_(tmp_path, *arguments)

    given = hypothesis.given(arguments=st.tuples(*PROPERTIES[property_]))(check)
    quiet = hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None)(given)
    for seed in rounds(seconds):
        hypothesis.seed(seed)(quiet)()
